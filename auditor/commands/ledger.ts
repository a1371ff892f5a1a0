// veilsum-audit ledger: what the silos of a job have charged to their data sets, and what that says about privacy. `--log` adds the same up
// from the entries of the transparency log as the coordinator shows it now, and compares. That the log is the one that silos have cosigned, and
// its Acks signed, is what `veilsum-audit verify` checks.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { decodeEntry } from '../../src/transcript/index.js';
import { ChargeStatement, decode, type LedgerLine } from '../../src/wire/index.js';
import { AuditError } from '../errors.js';
import { ledgerJson } from '../json.js';
import { allLedgerLines, logEntries } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import type { AdminClient } from '../../src/transport/index.js';
import { printJson, printTable } from '../terminal.js';
import { numberWord, unitWord } from '../words.js';

interface Options extends GlobalOptions {
  readonly log?: boolean;
}

export function addLedger(program: Command, world: World): void {
  program
    .command('ledger')
    .description('what silos have charged to their data sets, by job, as they signed it')
    .argument('[job]', 'name of the job; all jobs unless given')
    .option('--log', 'add the charges up from the entries of the log, and compare')
    .action(async (jobId: string | undefined, _options: object, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { terminal, signal } = world;
      const lines = await withSession(world, options, async ({ client }) => {
        const read = () => allLedgerLines(client, jobId ?? '', signal);
        return options.log === true ? comparedWithLog(client, jobId ?? '', read, signal) : read();
      });
      if (options.json === true) {
        printJson(
          terminal,
          lines.map((line) => ledgerJson(line)),
        );
        return;
      }
      if (lines.length === 0) {
        terminal.print('Nothing has been charged yet.');
        return;
      }
      printTable(
        terminal,
        ['JOB', 'SILO', 'ROUNDS', 'WITH NOISE', 'EPSILON', 'DELTA', 'FOR ONE', 'OF THE DATA SET', 'LAST ROUND'],
        lines.map((line) => [
          line.jobId,
          line.siloId,
          String(line.rounds),
          String(line.roundsWithNoise),
          line.roundsWithNoise === 0 ? 'none' : Number.isFinite(line.epsilon) ? numberWord(line.epsilon) : 'unbounded',
          line.roundsWithNoise === 0 ? '-' : String(line.delta),
          line.roundsWithNoise === 0 ? '-' : unitWord(line.unit),
          String(line.roundsOfDataSet),
          String(line.lastRound),
        ]),
      );
      if (options.log === true) terminal.print('The log holds the same charges.');
    });
}

interface Charged {
  readonly rounds: number;
  readonly ofDataSet: bigint;
  readonly dataSet: string;
}

/**
 * The ledger, read between two readings of the log: while a job runs, silos charge meanwhile. Throws AuditError `audit/bad-answer` when what
 * it says lies before the first or behind the second.
 */
async function comparedWithLog(
  client: AdminClient,
  jobId: string,
  read: () => Promise<LedgerLine[]>,
  signal: AbortSignal,
): Promise<LedgerLine[]> {
  const before = await chargedInLog(client, jobId, signal);
  const lines = await read();
  const after = await chargedInLog(client, jobId, signal);
  const told = new Map(lines.map((line) => [`${line.jobId} silo/${line.siloId}`, chargedIn(line)]));
  for (const name of new Set([...before.keys(), ...told.keys(), ...after.keys()]))
    if (!isBetween(told.get(name), before.get(name), after.get(name)))
      throw new AuditError(
        'audit/bad-answer',
        `of ${name} the log says ${words(after.get(name))}, the coordinator ${words(told.get(name))}.`,
      );
  return lines;
}

function isBetween(told: Charged | undefined, before: Charged | undefined, after: Charged | undefined): boolean {
  if (told === undefined) return before === undefined;
  return (
    after !== undefined &&
    told.rounds >= (before?.rounds ?? 0) &&
    told.rounds <= after.rounds &&
    told.ofDataSet >= (before?.ofDataSet ?? 0n) &&
    told.ofDataSet <= after.ofDataSet &&
    [before?.dataSet, after.dataSet].includes(told.dataSet)
  );
}

function chargedIn({ rounds, roundsOfDataSet, dataSet }: LedgerLine): Charged {
  return { rounds, ofDataSet: roundsOfDataSet, dataSet: hex(dataSet) };
}

function words(charged: Charged | undefined): string {
  if (charged === undefined) return 'nothing';
  const { rounds, ofDataSet, dataSet } = charged;
  return `${String(rounds)} rounds, ${String(ofDataSet)} of the data set ${dataSet.slice(0, 16)}…`;
}

/** Rounds charged and the newest count, by job and silo. */
async function chargedInLog(client: AdminClient, jobId: string, signal: AbortSignal): Promise<Map<string, Charged>> {
  const logged = new Map<string, Charged>();
  const rounds = new Map<string, Set<number>>();
  for await (const entry of logEntries(client, signal)) {
    const { kind, job, round, subject, body } = decodeEntry(entry);
    if (kind !== 'ledger-charge' || (jobId !== '' && job !== jobId)) continue;
    const name = `${job} ${subject}`;
    const all = (rounds.get(name) ?? new Set()).add(round);
    rounds.set(name, all);
    const charge = decode(ChargeStatement, 'charge', body.bytes);
    logged.set(name, { rounds: all.size, ofDataSet: charge.rounds, dataSet: hex(charge.dataSet) });
  }
  return logged;
}
