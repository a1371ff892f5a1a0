// veilsum-audit log: the transparency log as it grows, a checkpoint to keep, and proofs that were verified before they are shown.

import type { Command } from 'commander';
import { equalBytes, hex, isoTime, shortHex } from '../../src/base/index.js';
import { openKeptCheckpoint } from '../../src/audit/index.js';
import type { Roster } from '../../src/protocol/index.js';
import { writeFileDurably } from '../../src/system/index.js';
import { decodeEntry, leafHash, verifyInclusion, type LogEntry } from '../../src/transcript/index.js';
import type { AdminClient } from '../../src/transport/index.js';
import { badAnswer } from '../checked-round.js';
import { AuditError } from '../errors.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printFacts, printJson, printTable } from '../terminal.js';

const TAIL_DEFAULT = 20;
const TAIL_MAX = 1000;

export function addLog(program: Command, world: World): void {
  const log = program.command('log').description('read the transparency log and prove what it holds');
  log
    .command('tail')
    .description('the newest entries')
    .option('--entries <count>', `how many, at most ${String(TAIL_MAX)}`, String(TAIL_DEFAULT))
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { readonly entries: string }>();
      const rows = await withSession(world, options, ({ client }) =>
        tail(client, wholeNumber(options.entries, TAIL_MAX)),
      );
      if (options.json === true) printJson(world.terminal, rows.map(entryJson));
      else
        printTable(
          world.terminal,
          ['ENTRY', 'RECORDED', 'KIND', 'JOB', 'ROUND', 'ATTEMPT', 'BY'],
          rows.map(({ index, entry }) => [
            String(index),
            entry.recordedAt === 0 ? '-' : isoTime(entry.recordedAt),
            entry.kind,
            entry.job === '' ? '-' : entry.job,
            entry.round === 0 ? '-' : String(entry.round),
            entry.attempt === 0 ? '-' : String(entry.attempt),
            entry.subject,
          ]),
        );
    });
  log
    .command('checkpoint')
    .description('the newest checkpoint behind which a quorum of silos stands')
    .option('--job <job>', 'a quorum of this job’s silos')
    .option('--out <file>', 'keep the note, to hold a later log against it (verify --previous)')
    .option('--force', 'replace a file that is already there')
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<CheckpointOptions>();
      const { note, size, root, cosigned, logSize } = await withSession(world, options, ({ client, roster }) =>
        newest(client, roster, options.job ?? ''),
      );
      if (options.out !== undefined) await writeFileDurably(options.out, note, { replace: options.force === true });
      const by = [...cosigned.keys()];
      if (options.json === true)
        printJson(world.terminal, {
          size,
          root: hex(root),
          cosignedBy: by,
          entries: logSize,
          file: options.out ?? null,
        });
      else
        printFacts(world.terminal, [
          ['size', `${String(size)} of ${String(logSize)} entries`],
          ['root', hex(root)],
          ['cosigned by', by.join(', ')],
          ...(options.out === undefined ? [] : [['kept in', options.out] as const]),
        ]);
    });
  log
    .command('proof')
    .description('that an entry is in the log behind which a quorum of silos stands')
    .argument('<entry>', 'number of the entry, from 0')
    .action(async (text: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const index = wholeNumber(text, Number.MAX_SAFE_INTEGER);
      const proof = await withSession(world, options, ({ client, roster }) => prove(client, roster, index));
      const { entry, size, root, hashes } = proof;
      if (options.json === true)
        printJson(world.terminal, {
          ...entryJson({ index, entry }),
          size,
          root: hex(root),
          leaf: hex(proof.leaf),
          hashes: hashes.map(hex),
          verified: true,
        });
      else
        printFacts(world.terminal, [
          [
            'entry',
            `${String(index)}: ${entry.kind} of ${entry.subject}${entry.job === '' ? '' : `, job ${entry.job}`}`,
          ],
          ['in the log of', `${String(size)} entries, root ${hex(root)}`],
          ['proof', `${String(hashes.length)} hashes: ${hashes.map(shortHex).join(' ')}`],
          ['verified', 'yes: leaf and hashes give the root that a quorum of silos has cosigned'],
        ]);
    });
}

interface CheckpointOptions extends GlobalOptions {
  readonly job?: string;
  readonly out?: string;
  readonly force?: boolean;
}

interface Row {
  readonly index: number;
  readonly entry: LogEntry;
}

async function tail(client: AdminClient, count: number): Promise<Row[]> {
  const { logSize } = await client.getCheckpoint();
  const rows: Row[] = [];
  const first = Math.max(0, Number(logSize) - count);
  for (let pageToken = ''; ; ) {
    const page = await client.listEntries({ pageSize: count, pageToken, first: BigInt(first) });
    for (const { index, entry } of page.entries) rows.push({ index: Number(index), entry: decodeEntry(entry) });
    ({ nextPageToken: pageToken } = page);
    if (pageToken === '' || rows.length >= count) return rows;
  }
}

async function newest(client: AdminClient, roster: Roster, jobId: string) {
  const { note, logSize } = await client.getCheckpoint({ jobId });
  return { note, logSize: Number(logSize), ...openKeptCheckpoint(roster, note) };
}

async function prove(client: AdminClient, roster: Roster, index: number) {
  const { size, root } = await newest(client, roster, '');
  if (index >= size)
    throw new AuditError('audit/bad-number', `entry ${String(index)} is not in the checkpoint of ${String(size)}.`);
  const answer = await client.getInclusionProof({ index: BigInt(index), size: BigInt(size) });
  const leaf = leafHash(answer.entry);
  if (!equalBytes(answer.root, root) || !verifyInclusion(leaf, index, size, answer.hashes, root))
    throw badAnswer(`the proof of entry ${String(index)} does not give the root of the checkpoint.`);
  return { entry: decodeEntry(answer.entry), size, root, leaf, hashes: answer.hashes };
}

function wholeNumber(text: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most))
    throw new AuditError('audit/bad-number', `"${text.slice(0, 40)}" is no number of entries here.`);
  return value;
}

function entryJson({ index, entry }: Row) {
  const { kind, job, round, attempt, subject, recordedAt, body } = entry;
  return {
    entry: index,
    recorded: recordedAt === 0 ? null : isoTime(recordedAt),
    kind,
    job: job === '' ? null : job,
    round: round === 0 ? null : round,
    attempt: attempt === 0 ? null : attempt,
    by: subject,
    form: body.form,
    bytes: body.bytes.length,
  };
}
