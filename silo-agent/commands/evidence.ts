// veilsum-agent evidence export: what this silo was shown that contradicts itself, as a file for `veilsum-audit evidence`.

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { evidenceFile } from '../../src/audit/index.js';
import { readAgentConfig } from '../../src/config/index.js';
import { EVIDENCE_JOURNAL } from '../../src/protocol/index.js';
import { writeFileDurably } from '../../src/system/index.js';
import { readRecords } from '../read-state.js';

interface Options {
  readonly config: string;
  readonly out: string;
}

export function addEvidence(program: Command): void {
  program
    .command('evidence')
    .description('signed messages that contradict each other, as this silo met them')
    .command('export')
    .description(
      'write them to a file that anybody can judge with `veilsum-audit evidence`; works beside a running agent',
    )
    .requiredOption('--config <file>', 'the configuration of the agent')
    .requiredOption('--out <file>', 'where to write them; a file that exists is not replaced')
    .action(exportEvidence);
}

async function exportEvidence({ config: path, out }: Options): Promise<void> {
  const config = await readAgentConfig(path);
  const records: Uint8Array[] = [];
  for await (const { bytes } of readRecords(config, EVIDENCE_JOURNAL)) records.push(bytes);
  if (records.length === 0) {
    console.log('This silo has met no messages that contradict each other: nothing was written.');
    return;
  }
  const roster = await readFile(config.roster.file);
  await writeFileDurably(out, Buffer.concat(evidenceFile({ roster, records, inputs: [] })), { replace: false });
  console.log(`${String(records.length)} records written to ${out}`);
  console.log('Anybody who has the roster hash can judge them: veilsum-audit evidence FILE --roster-hash HASH');
}
