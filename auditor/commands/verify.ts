// veilsum-audit verify: a verdict on a bundle, from the file and the roster's hash alone. Needs no coordinator and no configuration.

import type { Command } from 'commander';
import { fromHex, hex, HASH_BYTES, LIMITS, shortHex } from '../../src/base/index.js';
import {
  verifyBundle,
  type Finding,
  type KeptCheckpoint,
  type RoundLine,
  type Verified,
  type Word,
} from '../../src/audit/index.js';
import { EXIT, readSmallFile, type ExitCode } from '../../src/system/index.js';
import { withBundleFile } from '../bundle/file.js';
import { AuditError } from '../errors.js';
import { MEANINGS } from '../outcome.js';
import type { GlobalOptions, World } from '../session.js';
import { timeWord } from '../words.js';
import { printFacts, printJson, printTable, type Terminal } from '../terminal.js';

interface Options extends GlobalOptions {
  readonly rosterHash: string;
  readonly previous?: string;
}

const EXIT_OF: Readonly<Record<Word, ExitCode>> = {
  PASS: EXIT.ok,
  FAIL: EXIT.auditFailed,
  INCOMPLETE: EXIT.auditIncomplete,
};

export function addVerify(program: Command, { terminal }: World, end: (code: ExitCode) => void): void {
  program
    .command('verify')
    .description('check a bundle without a network: PASS, FAIL or INCOMPLETE; needs no coordinator')
    .argument('<bundle>', 'file that `export JOB --out NAME.bundle` wrote')
    .requiredOption('--roster-hash <hash>', 'hash of the roster that every member has pinned')
    .option('--previous <note>', 'checkpoint kept from an earlier day, with which this log must begin')
    .action(async (file: string, _options: object, command: Command) => {
      const { rosterHash, previous, json } = command.optsWithGlobals<Options>();
      const options = {
        rosterHash: hashFrom(rosterHash),
        previous: previous === undefined ? undefined : await readSmallFile(previous, LIMITS.noteBytes),
      };
      const verdict = withBundleFile(file, (source) => verifyBundle(source, options));
      if (json === true) printJson(terminal, verdictJson(verdict));
      else tell(terminal, verdict);
      end(EXIT_OF[verdict.word]);
    });
}

function hashFrom(text: string): Uint8Array {
  const bytes = fromHex(text.trim().toLowerCase());
  if (bytes?.length === HASH_BYTES) return bytes;
  throw new AuditError('audit/bad-hash', `"${text.slice(0, 80)}" is no hash.`);
}

function tell(terminal: Terminal, { word, job, checkpoint, counts, rounds, findings, notes }: Verified): void {
  if (rounds.length > 0) {
    printTable(
      terminal,
      ['JOB', 'ROUND', 'ATTEMPT', 'IN SUM', 'OUTCOME', 'ACKS', 'DISPUTES', 'MODEL'],
      rounds.map((line) => [
        line.job,
        String(line.round),
        String(line.attempt),
        `${String(line.survivors)}/${String(line.cohort)}`,
        line.outcome,
        String(line.acks),
        String(line.disputes),
        line.model.length === 0 ? '-' : shortHex(line.model),
      ]),
    );
    terminal.print('');
  }
  printFacts(terminal, [
    ['job', job === '' ? '-' : job],
    [
      'checkpoint',
      checkpoint === undefined
        ? '-'
        : `${String(checkpoint.size)} entries, root ${hex(checkpoint.root).slice(0, 16)}…, cosigned by ${[...checkpoint.cosigned.keys()].join(', ')}`,
    ],
    ...(checkpoint === undefined ? [] : ([['cosigned', cosignedWhen(checkpoint)]] as const)),
    [
      'checked',
      `${count(counts.signatures, 'signature')}, ${count(counts.entries, 'log entry', 'log entries')}, ${count(counts.checkpoints, 'named checkpoint')}, ${count(counts.cosignatures, 'cosignature')}`,
    ],
    [
      '',
      `${count(counts.rounds, 'round')}: ${count(counts.results, 'result')}, ${count(counts.abandons, 'Abandon')}, ${count(counts.attempts, 'attempt')}, ${count(counts.transcripts, 'transcript')}`,
    ],
    [
      '',
      `${count(counts.openings, 'opened secret')}, ${count(counts.fingerprints, 'fingerprint')}, ${count(counts.coordinates, 'coordinate')} unmasked again, ${count(counts.acks, 'Ack')}, ${count(counts.disputes, 'Dispute')}, ${count(counts.charges, 'charge')}, ${count(counts.deadlines, 'deadline')}`,
    ],
    ...notes.map((note) => ['note', note] as const),
  ]);
  for (const finding of findings) tellFinding(terminal, finding);
  terminal.print('');
  terminal.print(word, 'heading');
}

function tellFinding(terminal: Terminal, { verdict, code, where, message, entries }: Finding): void {
  terminal.print('');
  terminal.print(`${verdict}  ${code}  ${where}`, 'heading');
  for (const line of message.split('\n')) terminal.print(`  ${line}`);
  if (entries.length > 0) terminal.print(`  entries of the log: ${entries.join(', ')}`);
  const meaning = MEANINGS.get(code);
  if (meaning !== undefined) terminal.print(`  ${meaning}`);
}

/** First and last of the cosignatures: until then the log had come, by the clocks of the silos. */
function cosignedWhen({ cosigned }: KeptCheckpoint): string {
  const times = [...cosigned.values()].sort((a, b) => a - b);
  const word = (seconds: number | undefined): string =>
    seconds === undefined ? 'by nobody' : (timeWord(BigInt(seconds) * 1000n) ?? 'at no time');
  return times[0] === times.at(-1) ? word(times[0]) : `${word(times[0])} to ${word(times.at(-1))}`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${String(n)} ${n === 1 ? one : many}`;
}

function verdictJson({ word, job, checkpoint, counts, rounds, findings, notes }: Verified) {
  return {
    verdict: word,
    job: job === '' ? null : job,
    checkpoint:
      checkpoint === undefined
        ? null
        : {
            size: checkpoint.size,
            root: hex(checkpoint.root),
            cosignedBy: [...checkpoint.cosigned.keys()],
            cosigned: cosignedWhen(checkpoint),
          },
    counts,
    rounds: rounds.map((line: RoundLine) => ({
      ...line,
      terminal: line.terminal.length === 0 ? null : hex(line.terminal),
      model: line.model.length === 0 ? null : hex(line.model),
    })),
    findings,
    notes,
  };
}
