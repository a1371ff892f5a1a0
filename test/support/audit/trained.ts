// A consortium in memory that trains a real model: the heart example's logistic regression with inputs made up to fit its layout, judged
// by the code that programs use. Every kind of round is in it: a fingerprint that does not come, a silo that drops out, a second attempt.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BundleCollector } from '../../../auditor/bundle/collect.js';
import { adminHandlers } from '../../../coordinator/admin/index.js';
import { BundleWriter } from '../../../src/audit/index.js';
import type { AdminClient } from '../../../src/transport/index.js';
import { MemorySource } from '../admin-source.js';
import { concat, hex } from '../../../src/base/index.js';
import { readJobFile } from '../../../src/config/index.js';
import { hash, LABELS, sha256 } from '../../../src/crypto/index.js';
import {
  buildManifest,
  decodeModelState,
  firstModel,
  judgeRound,
  NO_MODEL_STATE,
  parseJob,
  readStatistics,
  SEGMENT,
  type FirstModel,
} from '../../../src/job/index.js';
import { withParameters } from '../../../src/model/index.js';
import { isClosingRound, layoutOfRound, type ClosedRound } from '../../../src/protocol/index.js';
import { segmentNamed, type Layout } from '../../../src/vector/index.js';
import { Outcome, type JobManifest } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../memory/consortium.js';
import { found, openPolicy } from '../memory/founding.js';
import { evict } from '../memory/rosters.js';
import type { Judge } from '../memory/vectors.js';
import { HEART_MODEL, putStatistics, SILOS, statisticsManifest, trainingFile } from '../../unit/auditor/heart.js';

/** The same job for more silos that mask along a regular graph. */
export const REGULAR = { silos: 9, absent: 1 } as const;

export function trainedAlongGraph(): Promise<Trained> {
  const { silos } = found(REGULAR.silos);
  const job = `silos: [${silos.join(', ')}]\nmaxMalicious: 1\nminCohort: ${String(silos.length)}`;
  return trainedConsortium(
    (text) =>
      text
        .replace(/^(maxMalicious|minCohort): .*\n/gm, '')
        .replace(/^silos: .*$/m, `${job}\ngraph: { kind: regular, absent: ${String(REGULAR.absent)} }`),
    silos.length,
  );
}

/** The same job with noise under the mask, whose sums are rotated back before they change the model. It has no closing round. */
export function trainedWithNoise(): Promise<Trained> {
  const privacy = 'privacy: { unit: silo, noise: 1.5, delta: 0.001 }';
  return trainedConsortium((text) =>
    text
      .replace(/^( +)weightRows: .*$/m, `$1weightRows: 1\n$1${privacy}`)
      .replace(/^( +)holdoutFraction: .*$/m, '$1holdoutFraction: 0')
      .concat('minWeight: 1\n'),
  );
}

/** The same job, on features that a statistics job before it has standardised. */
export async function trainedOnStatistics(): Promise<Trained> {
  const forward = new Uint8Array(await readFile(HEART_MODEL));
  const states = new Map<string, Uint8Array>([[hex(hash(LABELS.model, NO_MODEL_STATE)), NO_MODEL_STATE]]);
  const first = await statisticsManifest(true);
  const consortium = new MemoryConsortium(SILOS, {
    policy: openPolicy,
    manifest: first,
    log: true,
    judge: judgeOf(states),
  });
  putStatistics(consortium, first);
  consortium.run();
  const [{ terminalHash }] = consortium.job.closed as [ClosedRound];
  const job = parseJob(first);
  const sum = { layout: consortium.job.manifest.layout, values: consortium.openedSums.get(1)! };
  const baked = firstModel(forward, readStatistics(sum, job.contract, SILOS), sha256);
  states.set(hex(hash(LABELS.model, baked.state)), baked.state);
  const manifest = await manifestOf(await trainingFile(), forward, baked, SILOS, terminalHash);
  consortium.blobs.set(hex(sha256(forward)), forward);
  consortium.silos.forEach((silo, i) => {
    silo.input = (round) => inputOf(layoutOfRound(consortium.job.manifest, round), i);
  });
  consortium.next({ ...manifest, roundLimit: 2 });
  consortium.run();
  return trainedBy(consortium, manifest.jobId, forward, baked, states);
}

export interface Trained {
  readonly consortium: MemoryConsortium;
  readonly jobId: string;
  readonly forward: Uint8Array;
  readonly finalModel: Uint8Array;
}

/**
 * `change`: of the job file's text. `size`: silos, which the job file must name. `steer`: what happens before the job runs to its end.
 * `evicted`: a silo that the others remove from the roster after the first round.
 */
export async function trainedConsortium(
  change = (text: string): string => text,
  size = SILOS,
  steer: (consortium: MemoryConsortium) => void = () => undefined,
  evicted?: string,
): Promise<Trained> {
  const forward = new Uint8Array(await readFile(HEART_MODEL));
  const first = firstModel(forward, undefined, sha256);
  const text = await trainingFile((file) => change(file.replace(/^ {2}standardiseBy: .*\n/m, '')));
  const manifest = await manifestOf(text, forward, first, size);
  const states = new Map<string, Uint8Array>([[hex(manifest.initialModelHash), first.state]]);
  const consortium = new MemoryConsortium(size, {
    policy: { ...openPolicy, graph: 'regular' },
    // Three of four go on only where nobody is assumed to be malicious.
    manifest: { ...manifest, roundLimit: 3, ...(evicted === undefined ? {} : { maxMalicious: 0, minCohort: 3 }) },
    log: true,
    judge: judgeOf(states),
  });
  consortium.blobs.set(hex(sha256(forward)), forward);
  consortium.silos.forEach((silo, i) => {
    silo.input = (round) => inputOf(layoutOfRound(consortium.job.manifest, round), i);
  });
  consortium.hooks = {
    arrive: (silo, { type }) => {
      const open = consortium.job.open;
      const round = open?.plan.round ?? 0;
      if (round === 1 && silo.id === 'silo-001' && type === 'consistency') return false;
      if (round === 2 && silo.id === 'silo-003' && type === 'masked-header') return false;
      const attempt = open?.attempt.context.attempt.attempt;
      return !(round === 3 && attempt === 1 && type === 'masked-header');
    },
  };
  steer(consortium);
  if (evicted !== undefined) {
    consortium.run(1);
    evict(consortium, evicted);
  }
  consortium.run();
  return trainedBy(consortium, manifest.jobId, forward, first, states);
}

async function manifestOf(
  text: string,
  forward: Uint8Array,
  first: FirstModel,
  size: number,
  statisticsResultHash?: Uint8Array,
): Promise<JobManifest> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-test-'));
  const path = join(folder, 'train.yaml');
  await writeFile(path, text);
  const file = await readJobFile(path);
  await rm(folder, { recursive: true });
  return buildManifest(file, {
    rosterHash: found(size, { log: true }).roster.hash,
    initialModelHash: hash(LABELS.model, first.state),
    model: {
      blob: { sha256: sha256(forward), size: BigInt(forward.length) },
      parameterCount: first.model.parameterCount,
    },
    statisticsResultHash,
  });
}

function trainedBy(
  consortium: MemoryConsortium,
  jobId: string,
  forward: Uint8Array,
  first: FirstModel,
  states: ReadonlyMap<string, Uint8Array>,
): Trained {
  const { parameters } = decodeModelState(states.get(hex(consortium.job.modelHash))!);
  return { consortium, jobId, forward, finalModel: withParameters(first.model, parameters) };
}

/** What `veilsum-audit export` writes, asked of the coordinator's own handlers without a network between. */
export async function bundleOfJob({ consortium, jobId, finalModel }: Trained): Promise<Uint8Array> {
  const source = new MemorySource(consortium);
  source.model = finalModel;
  const caller = { role: 'auditor', id: 'ada' } as const;
  const nothing = { pageSize: 0, pageToken: '', first: 0n, fields: [], index: 0 };
  const handlers = adminHandlers(source);
  // The collector's calls, each with its defaults as the client fills them in.
  const client = new Proxy({} as AdminClient, {
    get: (_, name) => (request: object, signal: AbortSignal) =>
      (handlers[name as keyof typeof handlers] as (...all: unknown[]) => unknown)(
        caller,
        { ...nothing, ...request },
        signal,
      ),
  });
  const pieces: Uint8Array[] = [];
  const writer = new BundleWriter((bytes) => pieces.push(Uint8Array.from(bytes)));
  const signal = new AbortController().signal;
  await new BundleCollector(client, writer, signal).collect(jobId, consortium.founded.rosterBytes);
  writer.finish();
  return concat(...pieces);
}

function judgeOf(states: Map<string, Uint8Array>): Judge {
  return ({ manifest, plan }, opened, survivors) => {
    const judged = judgeRound({
      manifest: manifest.message,
      layout: layoutOfRound(manifest, plan.round),
      closing: isClosingRound(manifest, plan.round),
      opened,
      survivors,
      state: states.get(hex(plan.modelHash))!,
    });
    const newModelHash = hash(LABELS.model, judged.state);
    states.set(hex(newModelHash), judged.state);
    const applied = judged.outcome === 'applied';
    return {
      outcome: applied ? Outcome.OUTCOME_APPLIED : Outcome.OUTCOME_REJECTED,
      newModelHash,
      endsJob: judged.endsJob,
    };
  };
}

/** Half a weight, a small step that differs by silo and coordinate, twenty records of which some are right. */
function inputOf(layout: Layout, silo: number): Int32Array {
  const vector = new Int32Array(layout.length);
  const put = (name: string, value: (k: number) => number): void => {
    const segment = segmentNamed(layout, name);
    if (segment === undefined) return;
    const scale = segment.quantiser.kind === 'real' ? segment.quantiser.scale : 1;
    for (let k = 0; k < segment.length; k++) vector[segment.offset + k] = Math.round(value(k) * scale);
  };
  put(SEGMENT.delta, (k) => 0.01 * (silo + 1) * Math.cos(k));
  put(SEGMENT.weight, () => 0.5);
  put(SEGMENT.norm, () => 0.01);
  put(SEGMENT.holdoutRows, () => 20);
  put(SEGMENT.holdoutLoss, () => 12);
  put(SEGMENT.holdoutCorrect, () => 10 + silo);
  put(SEGMENT.holdoutPositive, () => 1);
  put(SEGMENT.holdoutNegative, () => 1);
  return vector;
}
