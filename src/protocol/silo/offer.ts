// Before any round: a manifest is offered, the silo's own operator decides, the agent prepares.

import { asHash, equalBytes, hex } from '../../base/index.js';
import { Approval, type SiloJobDecided, type SiloJobOffered, type SiloJobPrepared } from '../../wire/index.js';
import { openEnvelope } from '../envelope.js';
import { openManifest } from '../manifest.js';
import { NO_PREVIOUS } from '../plan.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { asJobId } from '../../base/index.js';
import { jobOf, withJob } from './change.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import type { JobState, SiloState } from './state.js';

export function onJobOffered(state: SiloState, event: JournalledEvent, value: SiloJobOffered): Accepted<SiloState> {
  const manifest = openManifest(state.self.roster, value.manifest);
  demand(manifest.silos.includes(state.self.siloId), 'manifest/invalid', 'this silo is not in the job.');
  const known = state.jobs.get(manifest.jobId);
  if (known !== undefined) {
    demand(
      equalBytes(known.manifest.hash, manifest.hash),
      'manifest/repeated-job',
      `job "${manifest.jobId}" is known here with other bytes.`,
    );
    return { state, effects: again(known) };
  }
  const job = {
    manifest,
    decision: 'undecided',
    approval: undefined,
    prepared: false,
    dataSet: '',
    unfit: undefined,
    modelHash: manifest.initialModelHash,
    previousResultHash: demanded(asHash(NO_PREVIOUS), 'manifest/invalid', 'no previous hash.'),
    closedRound: 0,
    epoch: manifest.roster.epoch,
    lastAckHash: new Uint8Array(),
    open: undefined,
    acks: new Map(),
    closingAborts: new Map(),
    models: new Map(),
    rollbacks: [],
    stopped: false,
    ended: false,
  } as const;
  return {
    state: withJob(state, job),
    effects: [
      { kind: 'persist', event, emitted: [] },
      { kind: 'ask-operator', manifest },
    ],
  };
}

/** Offered again after a reconnect or a restart: whatever had not been finished goes on. */
function again(job: JobState): SiloEffect[] {
  const { manifest, approval } = job;
  if (approval === undefined) return [{ kind: 'ask-operator', manifest }];
  if (job.decision === 'approved' && !job.prepared) return [{ kind: 'prepare-job', manifest }];
  return [submit(approval)];
}

/** A decision signed with this silo's key. An approval makes the agent prepare; a refusal is told to the coordinator at once. */
export function onJobDecided(state: SiloState, event: JournalledEvent, value: SiloJobDecided): Accepted<SiloState> {
  const { self } = state;
  const { message } = openEnvelope(
    self.roster,
    value.approval,
    { type: 'approval', signer: siloSigner(self.siloId) },
    Approval,
  );
  demand(message.siloId === self.siloId, 'envelope/wrong-signer', "the decision is another silo's.");
  const job = demanded(
    [...state.jobs.values()].find((j) => equalBytes(j.manifest.hash, message.manifestHash)),
    'approval/unknown-manifest',
    `no manifest with the hash ${hex(message.manifestHash)} was offered here.`,
    'missing',
  );
  demand(
    job.decision === 'undecided',
    'job/state',
    `job "${job.manifest.jobId}" was already ${job.decision}.`,
    'state',
  );
  const approval = demanded(value.approval, 'approval/unknown-manifest', 'no decision.');
  const next = withJob(state, { ...job, decision: message.approved ? 'approved' : 'refused', approval });
  const then: SiloEffect = message.approved ? { kind: 'prepare-job', manifest: job.manifest } : submit(approval);
  return { state: next, effects: [{ kind: 'persist', event, emitted: [] }, then] };
}

/** The agent has what the job needs and computed the first model itself; only now is the coordinator told of the approval. */
export function onJobPrepared(state: SiloState, event: JournalledEvent, value: SiloJobPrepared): Accepted<SiloState> {
  const jobId = demanded(asJobId(value.jobId), 'plan/unknown-job', 'no such job.');
  const job = jobOf(state, jobId);
  if (job.prepared) return { state, effects: [] };
  demand(job.decision === 'approved', 'plan/not-approved', `job "${jobId}" is not approved here.`, 'state');
  const ready = value.refusedCode === '' && equalBytes(value.modelHash, job.manifest.initialModelHash);
  const why = value.refusedCode === '' ? 'plan/model-mismatch' : value.refusedCode;
  const detail =
    value.refusedCode === ''
      ? `the first model computed here has the hash ${hex(value.modelHash)}, the manifest says ${hex(job.manifest.initialModelHash)}.`
      : value.refusedDetail;
  const next = withJob(state, {
    ...job,
    prepared: ready,
    unfit: ready ? undefined : `${why}: ${detail}`,
    dataSet: value.dataSet,
  });
  const approval = demanded(job.approval, 'job/state', 'an approved job has an approval.');
  const then: SiloEffect = ready ? submit(approval) : { kind: 'notice', jobId, round: 0, code: why, detail };
  const again: SiloEffect[] = ready && hasPassed(state, jobId) ? [{ kind: 'watch-anew' }] : [];
  return { state: next, effects: [{ kind: 'persist', event, emitted: [] }, then, ...again] };
}

/** The log has shown rounds of a job that is prepared only now: its disk was set back, and what was told of them was refused until now. */
function hasPassed({ witness }: SiloState, jobId: string): boolean {
  return witness.sitsOut.has(jobId) || [...witness.terminals.keys()].some((key) => key.startsWith(`${jobId}/`));
}
