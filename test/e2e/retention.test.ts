// Real programs that erase what closed rounds leave, and are killed while they do: nothing is lost that counts, nothing stays that should
// be gone, and the log says so.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BundleCollector } from '../../auditor/bundle/collect.js';
import { BundleWriter, memorySource, verifyBundle } from '../../src/audit/index.js';
import { concat } from '../../src/base/index.js';
import { TransparencyLog } from '../../src/storage/index.js';
import { decodeEntry, type LogEntry } from '../../src/transcript/index.js';
import { ActionStatement, decode } from '../../src/wire/index.js';
import { entriesIn, partsOf } from '../support/audit/forge.js';
import { Consortium } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest } from '../support/e2e/jobs.js';
import { foldCoordinator, foldSilo, problemsOf, siloRecords } from '../support/e2e/journals.js';
import { eventually } from '../support/e2e/processes.js';

const AT_ONCE = 'retention: { roundSecrets: { hours: 0 } }\n';

let consortium: Consortium;
let hit: string[];
let entries: LogEntry[];
/** After everything was erased. */
let exported: Uint8Array;

async function logEntries(): Promise<LogEntry[]> {
  const log = await TransparencyLog.open(consortium.founded.at('state', 'coordinator', 'log'));
  const found: LogEntry[] = [];
  for await (const { bytes } of log.entries(0, log.size)) found.push(decodeEntry(Uint8Array.from(bytes)));
  await log.close();
  return found;
}

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  await consortium.start();
  const { silos } = consortium;
  for (const name of ['coordinator', ...silos]) await consortium.kill(name);
  for (const silo of silos) await consortium.configureAgent({ silo, extra: AT_ONCE });
  const dying = Promise.all([
    consortium.dieAt('coordinator', ['coordinator.before-erase', 'coordinator.after-erase']),
    consortium.dieAt(silos[0]!, ['silo.before-erase']),
    consortium.dieAt(silos[1]!, ['silo.after-erase']),
  ]);
  consortium.startAgent(silos[2]!);
  const { roster } = consortium.founded;
  const manifest = await consortium.offer(statisticsManifest(statisticsFile('sums', silos), roster.hash));
  await consortium.approve(manifest);
  await consortium.finished('sums');
  await consortium.acknowledgedRounds('sums');
  hit = (await dying).flat();
  await eventually('every silo has erased its secrets', async () => {
    const records = await Promise.all(silos.map((silo) => siloRecords(consortium.founded, silo)));
    return records.every(([first]) => first?.event?.$case === 'stateKept') ? true : undefined;
  });
  await consortium.toldOfEnd('sums');
  await eventually('every upload is gone', () => Promise.resolve(uploads().length === 0 ? true : undefined));
  exported = await eventually('a bundle in which everything was erased', async () => {
    const bytes = await bundle();
    const subjects = entriesIn(partsOf(bytes))
      .map((entry) => decodeEntry(entry))
      .filter(({ kind }) => kind === 'erasure')
      .map(({ subject }) => subject);
    return new Set(subjects).size === silos.length + 1 ? bytes : undefined;
  });
  await consortium.stopPrograms();
  entries = await logEntries();
}, 180_000);

/** As `veilsum-audit export` asks for it. */
async function bundle(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const writer = new BundleWriter((bytes) => pieces.push(Uint8Array.from(bytes)));
  const collector = new BundleCollector(consortium.client, writer, new AbortController().signal);
  await collector.collect('sums', readFileSync(consortium.founded.at('roster.bin')));
  writer.finish();
  return concat(...pieces);
}

afterAll(() => consortium.close());

function uploads(): string[] {
  const folder = consortium.founded.at('state', 'coordinator', 'uploads');
  return existsSync(folder) ? readdirSync(folder) : [];
}

describe('programs that erase', () => {
  it('were killed before and after', () => {
    expect(hit).toEqual([
      'coordinator.before-erase',
      'coordinator.after-erase',
      'silo.before-erase',
      'silo.after-erase',
    ]);
  });

  it('leave no key and no share of a closed round in a silo’s journal, and state that folds to the end of the job', async () => {
    for (const silo of consortium.silos) {
      const kinds = (await siloRecords(consortium.founded, silo)).map(({ event }) => event!.$case);
      expect(kinds).not.toContain('attemptStarted');
      expect(kinds).not.toContain('sharesReceived');
      const state = await foldSilo(consortium.founded, silo);
      expect([...state.jobs.values()].map(({ closedRound, ended }) => [closedRound, ended])).toEqual([[1, true]]);
      expect(await problemsOf(consortium.founded, silo)).toEqual([]);
    }
  });

  it('leave no masked input, and a journal and a log that belong together', async () => {
    expect(uploads()).toEqual([]);
    expect(await problemsOf(consortium.founded, 'coordinator')).toEqual([]);
    const { jobs } = await foldCoordinator(consortium.founded);
    expect([...jobs.values()].flatMap(({ closed }) => closed.map(({ erased }) => [...(erased ?? [])]))).toEqual([
      ['erase-uploads'],
    ]);
  });

  it('leave a job that an auditor verifies from a bundle made afterwards, with nothing missing', () => {
    const verdict = verifyBundle(memorySource(exported), { rosterHash: consortium.founded.roster.hash });
    expect([verdict.word, verdict.findings]).toEqual(['PASS', []]);
    expect(verdict.counts).toMatchObject({ transcripts: 1, openings: 3, acks: 3 });
  });

  it('are in the log, each once, with the certificates that they came with', () => {
    const erasures = entries
      .filter(({ kind }) => kind === 'erasure')
      .map(({ subject, body }) => `${subject} ${decode(ActionStatement, 'statement', body.bytes).action}`);
    expect(erasures.filter((line) => line.startsWith('coordinator'))).toEqual(['coordinator erase-uploads']);
    for (const silo of consortium.silos)
      expect(erasures.filter((line) => line === `silo/${silo} erase-round-secrets`)).toHaveLength(1);
    const issued = entries.filter(({ kind }) => kind === 'certificate-issued').map(({ subject }) => subject);
    expect(new Set(issued).size).toBe(issued.length);
    expect(issued).toEqual(expect.arrayContaining(consortium.silos.map((silo) => `silo/${silo}`)));
  });
});
