// veilsum-audit evidence: who is convicted of what by a file that an agent or coordinator exported. Needs the roster's hash and no network.

import type { Command } from 'commander';
import { fromHex, HASH_BYTES } from '../../src/base/index.js';
import { judgeEvidenceFile, type Judgement } from '../../src/audit/index.js';
import { CHARGES } from '../../src/protocol/index.js';
import { EXIT, type ExitCode } from '../../src/system/index.js';
import { withBundleFile } from '../bundle/file.js';
import { AuditError } from '../errors.js';
import type { GlobalOptions, World } from '../session.js';
import { printJson, type Terminal } from '../terminal.js';

interface Options extends GlobalOptions {
  readonly rosterHash: string;
}

export function addEvidence(program: Command, { terminal }: World, end: (code: ExitCode) => void): void {
  program
    .command('evidence')
    .description('judge exported evidence without a network: who signed what contradicts; needs no coordinator')
    .argument('<file>', 'file that `veilsum-agent evidence export` or `veilsum-coordinator evidence export` wrote')
    .requiredOption('--roster-hash <hash>', 'hash of the roster that every member has pinned')
    .action((file: string, _options: object, command: Command) => {
      const { rosterHash, json } = command.optsWithGlobals<Options>();
      const hash = fromHex(rosterHash.trim().toLowerCase());
      if (hash?.length !== HASH_BYTES)
        throw new AuditError('audit/bad-hash', `"${rosterHash.slice(0, 80)}" is no hash.`);
      const judgements = withBundleFile(file, (source) => judgeEvidenceFile(source, hash));
      if (json === true) printJson(terminal, judgements.map(judgementJson));
      else
        judgements.forEach((one, at) => {
          tell(terminal, one, at + 1);
        });
      end(judgements.every(({ convictions }) => convictions.length > 0) ? EXIT.ok : EXIT.auditIncomplete);
    });
}

function tell(
  terminal: Terminal,
  { code, keptAtUnixMs, convictions, ignored, missing }: Judgement,
  number: number,
): void {
  const at = new Date(Number(keptAtUnixMs));
  const when = Number.isNaN(at.getTime()) ? 'an impossible time' : at.toISOString();
  terminal.print(`record ${String(number)}, kept for ${code.slice(0, 80)} at ${when} (its keeper's word)`, 'heading');
  for (const { accused, charge, message } of convictions) {
    terminal.print(`  CONVICTED  ${accused}  ${charge}: ${CHARGES[charge]}`);
    terminal.print(`    ${message}`);
  }
  if (convictions.length === 0)
    terminal.print('  PROVES NOTHING to a third party: no signed bytes here contradict each other.');
  for (const what of missing) terminal.print(`  needed to say more: ${what}`);
  for (const why of ignored) terminal.print(`  not counted: ${why}`);
}

function judgementJson({ code, keptAtUnixMs, ...rest }: Judgement) {
  return { code, keptAtUnixMs: Number(keptAtUnixMs), ...rest };
}
