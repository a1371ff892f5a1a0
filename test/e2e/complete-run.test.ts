// A whole consortium as real processes: a statistics job, then training with its closing round, and everything that is promised of it
// afterwards.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asHash, hex, utf8 } from '../../src/base/index.js';
import { commitShare, derive, hash, LABELS, SecretBytes, sha256, split } from '../../src/crypto/index.js';
import { readDataSet, splitHoldout, type Records } from '../../src/dataset/index.js';
import {
  encodeModelState,
  parseJob,
  readStatistics,
  roundingError,
  type ColumnStatistics,
} from '../../src/job/index.js';
import { initialParameters, readForwardModel } from '../../src/model/index.js';
import { openManifest, type Manifest } from '../../src/protocol/index.js';
import { openStorageKey } from '../../src/storage/index.js';
import { dequantise, segmentNamed } from '../../src/vector/index.js';
import { readSigningKey } from '../../src/pki/index.js';
import { attemptSecrets } from '../../src/protocol/secrets.js';
import {
  CoordinatorRecord,
  JobState,
  Outcome,
  ShareHeader,
  SiloRecord,
  type Envelope,
  type Job,
  type Round,
} from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import type { Ended } from '../support/e2e/processes.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { coordinatorRecords, foldCoordinator, foldSilo, problemsOf, siloRecords } from '../support/e2e/journals.js';
import { RANGES, trueSums } from '../support/e2e/records.js';
import { gathered } from '../support/transport.js';
import { logisticRegression } from '../support/onnx-models.js';
import { runOnce, tensor } from '../support/onnx-run.js';
import { held } from '../support/held.js';

const ROUNDS = 3;
/** Of five silos. */
const T = 4;
let consortium: Consortium;
let statistics: ColumnStatistics;
let statisticsOpened: { manifest: Manifest; values: Int32Array };
let job: Job;
let manifest: Manifest;
let rounds: Round[];
let exported: Uint8Array;
let ends: Map<string, Ended>;
/** What each program served on its metrics endpoint at the end. */
let metrics: Map<string, string>;

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 5 });
  // All programs serve metrics, so that what they say there can be searched, too.
  const serving = 'metrics: { listen: 127.0.0.1:0 }\n';
  consortium.coordinatorExtra = serving;
  await consortium.startCoordinator();
  await consortium.prepareClients();
  for (const silo of consortium.silos) {
    await consortium.configureAgent({ silo, extra: serving });
    consortium.startAgent(silo);
  }
  const { roster, silos } = consortium.founded;
  const first = await offerAndFinish('sums', () =>
    consortium.offer(statisticsManifest(statisticsFile('sums', silos, { maxMalicious: 1, minCohort: 5 }), roster.hash)),
  );
  const values = int32(await gathered(consortium.client.exportSum({ jobId: 'sums', round: 1 })));
  statisticsOpened = { manifest: first.manifest, values };
  const { contract } = parseJob(first.manifest.message);
  statistics = readStatistics({ layout: first.manifest.layout, values }, contract, silos.length);

  const model = logisticRegression(RANGES.length);
  await consortium.putBlob(model);
  const made = trainingManifest(
    trainingFile('training', silos, {
      rounds: ROUNDS,
      maxMalicious: 1,
      minCohort: 5,
      model: { file: 'model.onnx', standardiseBy: 'sums' },
    }),
    roster.hash,
    model,
    { statistics, resultHash: first.job.lastResultHash },
  );
  ({ job, manifest } = await offerAndFinish('training', () => consortium.offer(made.manifest)));
  rounds = await consortium.acknowledgedRounds('training');
  exported = await gathered(consortium.client.exportModel({ jobId: 'training', state: false }));
  await consortium.toldOfEnd('training');
  metrics = await metricsOf(['coordinator', ...consortium.silos]);
  ends = await consortium.stopPrograms();
});

afterAll(() => consortium.close());

async function offerAndFinish(
  jobId: string,
  offer: () => Promise<Envelope>,
): Promise<{ job: Job; manifest: Manifest }> {
  const envelope = await offer();
  await consortium.approve(envelope);
  const done = await consortium.finished(jobId);
  expect(done.state).toBe(JobState.JOB_STATE_COMPLETED);
  return { job: done, manifest: openManifest(consortium.founded.roster, envelope) };
}

async function metricsOf(programs: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const program of programs) {
    const log = readFileSync(consortium.founded.at('logs', `${program}.log`), 'utf8');
    const started = log.split('\n').find((line) => line.includes('"program.started"'))!;
    const { metrics: port } = JSON.parse(started) as { metrics: number };
    texts.set(program, await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  }
  return texts;
}

function int32(bytes: Uint8Array): Int32Array {
  return new Int32Array(Uint8Array.from(bytes).buffer);
}

describe('a statistics job', () => {
  it('opens the true sums of all silos, within the rounding of its quantiser', () => {
    const truth = trueSums([...consortium.founded.tables.values()]);
    const { layout } = statisticsOpened.manifest;
    const opened = (name: string): Float64Array => dequantise(segmentNamed(layout, name)!, statisticsOpened.values);
    const wire = statisticsOpened.manifest.message.layout!.segments.find(({ name }) => name === 'sum')!;
    const most = roundingError(wire, 5);
    expect(most).toBeLessThan(0.01);
    expect([...opened('rows')]).toEqual([truth.rows]);
    expect(opened('saturated')[0]).toBe(0);
    truth.sum.forEach((sum, k) => {
      expect(Math.abs(opened('sum')[k]! - sum)).toBeLessThanOrEqual(most);
      expect(Math.abs(opened('sum-of-squares')[k]! - truth.squares[k]!)).toBeLessThanOrEqual(most);
    });
  });
});

describe('a training job', () => {
  it('has its rounds and the closing one applied, with everybody in each sum and acknowledging each', () => {
    expect(rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4]);
    for (const round of rounds) {
      expect(round.outcome).toBe(Outcome.OUTCOME_APPLIED);
      expect(round.survivors).toEqual(consortium.silos);
      expect(round.acknowledgedBy).toEqual(consortium.silos);
      expect(round.disputedBy).toEqual([]);
      expect(round.attempt).toBe(1);
    }
  });

  it('learns: the loss of the final model is below that of the first', () => {
    const loss = (round: Round): number => metric(round, 'loss');
    expect(loss(rounds[0]!)).toBeCloseTo(Math.log(2), 3);
    expect(loss(rounds.at(-1)!)).toBeLessThan(0.9 * loss(rounds[0]!));
  });

  it('exports the model that every silo computed by itself', () => {
    const model = readForwardModel(exported);
    const first = trainingManifestOf();
    const state = encodeModelState({
      modelSha256: sha256(first.onnx),
      parameters: initialParameters(model),
      updateState: new Uint8Array(),
    });
    expect(hex(hash(LABELS.model, state))).toBe(hex(job.modelHash));
  });

  it('exports a model that any ONNX runtime opens, with the predictions of a float evaluation by hand', async () => {
    const rows = [...consortium.founded.tables.values()].flat();
    const { logits } = await runOnce(exported, {
      x: tensor(
        rows.flatMap((row) => row.slice(0, 3)),
        [rows.length, 3],
      ),
    });
    rows.forEach((row, i) => {
      expect(logits![i]).toBeCloseTo(logitByHand(row), 3);
    });
  });

  it('reports the metrics that the same hold-out rows give in the clear', async () => {
    const parts = await Promise.all(consortium.silos.map(holdoutOf));
    const closing = rounds.at(-1)!;
    const scored = parts.flatMap(({ rows, features, targets, columns }) =>
      Array.from({ length: rows }, (_, r) => ({
        logit: logitByHand([...held(features).subarray(r * columns, (r + 1) * columns)]),
        sick: targets[r] === 1,
      })),
    );
    expect(scored.length).toBeGreaterThan(40);
    expect(metric(closing, 'records')).toBe(scored.length);
    const loss = scored.reduce((sum, { logit, sick }) => sum + Math.log1p(Math.exp(sick ? -logit : logit)), 0);
    const wire = manifest.message.closingLayout!.segments.find(({ name }) => name === 'holdout.loss')!;
    const most = roundingError(wire, 5) / scored.length;
    expect(Math.abs(metric(closing, 'loss') - loss / scored.length)).toBeLessThan(most + 1e-4);
    const right = scored.filter(({ logit, sick }) => logit > 0 === sick).length;
    expect(metric(closing, 'accuracy')).toBe(right / scored.length);
    expect(Math.abs(metric(closing, 'auc') - aucOf(scored))).toBeLessThanOrEqual(
      metric(closing, 'auc-error-bound') + 1e-9,
    );
  });
});

describe('a consortium that is told to stop', () => {
  it('ends every program in order, with exit code 0 and nothing on standard error', () => {
    expect([...ends.keys()].sort()).toEqual(['coordinator', ...consortium.silos]);
    for (const [name, end] of ends) {
      expect({ name, ...end, stdout: '' }).toEqual({ name, code: 0, signal: null, stdout: '', stderr: '' });
      const log = consortium.log(name);
      expect(log.at(-1)!.event).toBe('program.stopped');
      expect(log.filter(({ level }) => level === 'error')).toEqual([]);
    }
  });
});

describe('what is left on disk', () => {
  it('is whole in every state folder', async () => {
    for (const name of ['coordinator', ...consortium.silos])
      expect(await problemsOf(consortium.founded, name)).toEqual([]);
  });

  it('folds again, to the same messages and the same model on both sides', async () => {
    const coordinator = await foldCoordinator(consortium.founded);
    const known = [...coordinator.jobs.values()].find((one) => one.manifest.jobId === 'training')!;
    expect(hex(known.modelHash)).toBe(hex(job.modelHash));
    for (const silo of consortium.silos) {
      const state = await foldSilo(consortium.founded, silo);
      const own = [...state.jobs.values()].find((one) => one.manifest.jobId === 'training')!;
      expect(hex(own.modelHash)).toBe(hex(job.modelHash));
      expect(own.acks.size).toBe(ROUNDS + 1);
      expect(own.ended).toBe(true);
    }
  });

  it('keeps no input of a closed round, and no upload', () => {
    for (const silo of consortium.silos)
      expect(readdirSync(consortium.founded.at('state', silo, 'inputs'))).toEqual([]);
    expect(readdirSync(consortium.founded.at('state', 'coordinator', 'uploads'))).toEqual([]);
  });

  it('holds no record of any silo outside its own table: not in the logs, in no state folder and in no metric', () => {
    const { at, tables } = consortium.founded;
    const found: string[] = [];
    // The silos' own state folders are sealed where records could be.
    const files = [...filesIn(at('logs')), ...filesIn(at('state'))];
    expect(files.length).toBeGreaterThan(10);
    const canaries = [...tables.values()].flatMap((rows) => rows.slice(0, 3));
    const texts = [...metrics].map(([name, text]) => [`metrics of ${name}`, Buffer.from(text)] as const);
    for (const [file, bytes] of [...files.map((one) => [one, readFileSync(one)] as const), ...texts]) {
      for (const [age, pressure, chol] of canaries) {
        const words = [age, pressure, chol].map(String);
        // Two neighbours of a row as float32: four bytes alone might turn up by chance.
        const pairs = [Float32Array.of(age, pressure), Float32Array.of(pressure, chol), Float64Array.of(chol)];
        const needles = [...words.map((word) => Buffer.from(word)), ...pairs.map((pair) => Buffer.from(pair.buffer))];
        if (needles.some((needle) => bytes.includes(needle))) found.push(file);
      }
    }
    expect(found).toEqual([]);
    // The search finds what is there.
    const own = readFileSync(at('records', `${consortium.silos[0]!}.csv`));
    expect(own.includes(String(canaries[0]![0]))).toBe(true);
  });
});

describe('secrets', () => {
  interface Secret {
    readonly name: string;
    readonly bytes: Uint8Array;
  }
  /** Of each silo: keys, and what it drew for its attempts; shares and masks derive from those. */
  let kept: Secret[];
  /** Own masks' secrets, which a result opens for whoever is in the sum. */
  let opened: Secret[];
  let places: Map<string, Buffer>;
  /** What the silos committed to for each share that they dealt. */
  let commitments: Set<string>;

  const place = (name: string): Buffer => places.get(name)!;
  const foundIn = (where: Iterable<string>, secrets: readonly Secret[]): string[] =>
    [...where].flatMap((name) =>
      secrets
        .filter(({ bytes }) =>
          [Buffer.from(bytes), hex(bytes), Buffer.from(bytes).toString('base64').slice(0, 40)].some((one) =>
            place(name).includes(one),
          ),
        )
        .map((secret) => `${secret.name} in ${name}`),
    );

  beforeAll(async () => {
    const { founded, silos } = consortium;
    const { at } = founded;
    kept = [];
    opened = [];
    places = new Map();
    commitments = new Set();
    for (const file of [...filesIn(at('logs')), ...filesIn(at('state'))]) places.set(file, readFileSync(file));
    for (const [name, text] of metrics) places.set(`metrics of ${name}`, Buffer.from(text));
    for (const [name, end] of ends) places.set(`output of ${name}`, Buffer.from(end.stdout + end.stderr));
    // The coordinator's journal as whoever has its storage key reads it: every message of every silo is in it.
    const records = await coordinatorRecords(founded);
    places.set(
      'dump of coordinator',
      Buffer.concat(records.map((record) => CoordinatorRecord.encode(record).finish())),
    );
    for (const silo of silos) {
      const { seed } = await readSigningKey(at(`${silo}.key`));
      seed.lend((bytes) => kept.push({ name: `signing key of ${silo}`, bytes: bytes.slice() }));
      kept.push({ name: `storage key of ${silo}`, bytes: readFileSync(at(`${silo}.storage.key`)) });
      const own = await siloRecords(founded, silo);
      places.set(`dump of ${silo}`, Buffer.concat(own.map((record) => SiloRecord.encode(record).finish())));
      for (const { event, emitted } of own) {
        for (const { type, payload } of emitted)
          if (type === 'share-header')
            for (const one of ShareHeader.decode(payload).entries) commitments.add(hex(one.keyShareCommitment));
        if (event?.$case !== 'attemptStarted') continue;
        const { plan, rho, roundSecret } = event.value;
        kept.push(
          { name: `rho of ${silo}`, bytes: rho.slice() },
          { name: `round secret of ${silo}`, bytes: roundSecret.slice() },
        );
        const derived = attemptSecrets(SecretBytes.of<'rho'>(rho.slice()), hash(LABELS.plan, plan!.payload), 1);
        derived.maskSecret.lend((bytes) => kept.push({ name: `mask key of ${silo}`, bytes: bytes.slice() }));
        // Nobody was absent, so no share of a mask key was ever released: sealed ones are all that there is of them.
        const shares = derived.maskSecret.lend((key) => split(key, silos.length, T, derived.coefficients('key', T)));
        shares.forEach((bytes, k) => kept.push({ name: `share ${k} of the mask key of ${silo}`, bytes }));
        derived.selfSecret.lend((bytes) => opened.push({ name: `own mask of ${silo}`, bytes: bytes.slice() }));
      }
    }
  });

  it('stand in no log, output, metric or file of any program, in no dump of the coordinator, and in no message', () => {
    const elsewhere = [...places.keys()].filter((name) => !consortium.silos.some((silo) => name === `dump of ${silo}`));
    expect(elsewhere.length).toBeGreaterThan(15);
    expect(kept.length).toBeGreaterThan(5 * 5);
    expect(foundIn(elsewhere, kept)).toEqual([]);
  });

  it('of one silo stand in no other silo’s journal', () => {
    for (const silo of consortium.silos)
      expect(
        foundIn(
          [`dump of ${silo}`],
          kept.filter(({ name }) => !name.endsWith(silo)),
        ),
      ).toEqual([]);
  });

  it('that a result opens stand in what the coordinator published, and in no log', () => {
    expect(opened.length).toBe(5 * (ROUNDS + 2));
    const logs = [...places.keys()].filter((name) => name.includes('/logs/') || name.startsWith('output'));
    expect(foundIn(logs, opened)).toEqual([]);
    const published = [...places.keys()].filter(
      (name) => name.includes('/coordinator/blobs/') || name === 'dump of coordinator',
    );
    const seen = new Set(foundIn(published, opened).map((one) => one.split(' in ')[0]));
    expect([...seen].sort()).toEqual(consortium.silos.map((silo) => `own mask of ${silo}`));
  });

  it('are the shares that were dealt, and not some other bytes', async () => {
    const [silo] = consortium.silos;
    const own = await siloRecords(consortium.founded, silo!);
    const dealt = own.flatMap(({ emitted }) => emitted).find(({ type }) => type === 'share-header')!;
    const { t1, index } = ShareHeader.decode(dealt.payload);
    const shares = kept.filter(({ name }) => name.startsWith('share ') && name.endsWith(silo!));
    const t1Hash = asHash(t1)!;
    const committed = shares.map(({ bytes }, k) => commitShare('key', t1Hash, index, k % 5, bytes));
    expect(committed.filter((one) => commitments.has(hex(one)))).toHaveLength(5);
  });

  it('are found where they must be: what a silo drew, in its own journal', () => {
    for (const silo of consortium.silos)
      expect(foundIn([`dump of ${silo}`], kept).some((one) => one.startsWith(`rho of ${silo}`))).toBe(true);
  });
});

function trainingManifestOf(): { onnx: Uint8Array } {
  const { silos, roster } = consortium.founded;
  const source = { statistics, resultHash: new Uint8Array(32) };
  const file = trainingFile('training', silos, { model: { file: 'model.onnx', standardiseBy: 'sums' } });
  return trainingManifest(file, roster.hash, logisticRegression(RANGES.length), source).first;
}

/** w · (x - mean) / deviation + b, with the parameters of the exported model. */
function logitByHand(row: readonly number[]): number {
  const parameters = initialParameters(readForwardModel(exported));
  let logit = parameters[3]!;
  for (let k = 0; k < 3; k++)
    logit += (parameters[k]! * (row[k]! - statistics.mean[k]!)) / statistics.standardDeviation[k]!;
  return logit;
}

async function holdoutOf(silo: string): Promise<Records> {
  const { at } = consortium.founded;
  const { contract } = parseJob(manifest.message);
  const query = `SELECT * FROM '${at('records', `${silo}.csv`)}'`;
  const records = await readDataSet({ name: contract.dataSet, query, directories: [at('records')] }, contract);
  const root = await openStorageKey(at(`${silo}.storage.key`));
  const key = root.lend((ikm) => derive<'holdout'>(ikm, utf8(contract.dataSet), LABELS.deriveHoldout, []));
  return key.lend((k) => splitHoldout(records, 0.25, k).holdout);
}

function metric(round: Round, name: string): number {
  return round.metrics.find((one) => one.name === name)?.value ?? NaN;
}

/** Share of pairs of a sick and a healthy record that are ranked right; ties count half. */
function aucOf(scored: readonly { logit: number; sick: boolean }[]): number {
  let right = 0;
  let pairs = 0;
  for (const ill of scored)
    for (const well of scored) {
      if (!ill.sick || well.sick) continue;
      pairs += 1;
      right += ill.logit > well.logit ? 1 : ill.logit === well.logit ? 0.5 : 0;
    }
  return right / pairs;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
