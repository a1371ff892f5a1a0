// veilsum-audit ledger: what the silos of a job have charged to their data sets, and what that says about privacy. `--log` adds the same up
// from the entries of the transparency log and compares, so that the coordinator need not be believed.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { decodeEntry } from '../../src/transcript/index.js';
import { ChargeStatement, decode, type LedgerLine } from '../../src/wire/index.js';
import { AuditError } from '../errors.js';
import { ledgerJson } from '../json.js';
import { allLedgerLines } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import type { AdminClient } from '../../src/transport/index.js';
import { printJson, printTable } from '../terminal.js';
import { numberWord } from '../words.js';

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
        const found = await allLedgerLines(client, jobId ?? '', signal);
        if (options.log === true) await compareWithLog(client, found, jobId ?? '', signal);
        return found;
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
        ['JOB', 'SILO', 'ROUNDS', 'WITH NOISE', 'EPSILON', 'DELTA', 'OF THE DATA SET', 'LAST ROUND'],
        lines.map((line) => [
          line.jobId,
          line.siloId,
          String(line.rounds),
          String(line.roundsWithNoise),
          line.roundsWithNoise === 0 ? 'none' : Number.isFinite(line.epsilon) ? numberWord(line.epsilon) : 'unbounded',
          line.roundsWithNoise === 0 ? '-' : String(line.delta),
          String(line.roundsOfDataSet),
          String(line.lastRound),
        ]),
      );
      if (options.log === true) terminal.print('The log holds the same charges.');
    });
}

/** Rounds charged and the newest count, by job and silo. */
async function compareWithLog(
  client: AdminClient,
  lines: readonly LedgerLine[],
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const logged = new Map<string, string>();
  const rounds = new Map<string, Set<number>>();
  let pageToken = '';
  do {
    const page = await client.listEntries({ pageSize: 1000, pageToken }, signal);
    for (const { entry } of page.entries) {
      const { kind, job, round, subject, body } = decodeEntry(entry);
      if (kind !== 'ledger-charge' || (jobId !== '' && job !== jobId)) continue;
      const name = `${job} ${subject}`;
      const all = (rounds.get(name) ?? new Set()).add(round);
      rounds.set(name, all);
      const charge = decode(ChargeStatement, 'charge', body.bytes);
      logged.set(name, `${String(all.size)} ${String(charge.rounds)} ${hex(charge.dataSet)}`);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  const told = new Map(
    lines.map((line) => [
      `${line.jobId} silo/${line.siloId}`,
      `${String(line.rounds)} ${String(line.roundsOfDataSet)} ${hex(line.dataSet)}`,
    ]),
  );
  for (const name of new Set([...logged.keys(), ...told.keys()]))
    if (logged.get(name) !== told.get(name))
      throw new AuditError(
        'audit/bad-answer',
        `of ${name} the log says ${logged.get(name) ?? 'nothing'}, the coordinator ${told.get(name) ?? 'nothing'}.`,
      );
}
