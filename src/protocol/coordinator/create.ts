// Jobs: created from a signed manifest, offered to their silos, started when enough of them have approved.

import { asHash, asSiloId, equalBytes, type UnixMs } from '../../base/index.js';
import { Approval, type CoordinatorJobCreated, type CoordinatorJobStopped, type Envelope } from '../../wire/index.js';
import { openEnvelope } from '../envelope.js';
import { openManifest } from '../manifest.js';
import { NO_PREVIOUS } from '../plan.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { alreadyStored, ANSWERED, jobOf, stored, withEntry, withJob } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState, JobStatus } from './state.js';

export function onJobCreated(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorJobCreated,
): Accepted<CoordinatorState> {
  const manifest = openManifest(state.self.roster, value.manifest);
  const known = state.jobs.get(manifest.jobId);
  if (known !== undefined) {
    demand(
      equalBytes(known.manifest.hash, manifest.hash),
      'manifest/repeated-job',
      `job "${manifest.jobId}" exists with another manifest.`,
      'state',
    );
    return { state, effects: [ANSWERED] };
  }
  demand(
    manifest.roster.epoch === state.self.roster.epoch,
    'manifest/wrong-roster',
    `the manifest was made under epoch ${String(manifest.roster.epoch)} of the roster, in force is ${String(state.self.roster.epoch)}.`,
    'state',
  );
  const job = {
    manifest,
    createdAt: at,
    offeredBy: state.events,
    status: 'offered',
    reason: '',
    stoppedBy: 0,
    approvals: new Map(),
    approvedBy: new Map(),
    refusals: new Map(),
    barred: new Map(),
    modelHash: manifest.initialModelHash,
    modelState: new Uint8Array(),
    previousResultHash: demanded(asHash(NO_PREVIOUS), 'manifest/invalid', 'no previous hash.'),
    closed: [],
    open: undefined,
    rejectedInRow: 0,
    excludeVotes: new Map(),
    rollbackVotes: new Map(),
    rollbacks: [],
    settledRounds: 0,
  } as const;
  return stored(withJob(state, job), event);
}

export function onApproval(
  state: CoordinatorState,
  event: CoordinatorEvent,
  siloId: string,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const silo = demanded(asSiloId(siloId), 'message/unexpected', 'not a silo id.');
  const { message } = openEnvelope(
    state.self.roster,
    envelope,
    { type: 'approval', signer: siloSigner(silo) },
    Approval,
  );
  const job = demanded(
    [...state.jobs.values()].find((j) => equalBytes(j.manifest.hash, message.manifestHash)),
    'approval/unknown-manifest',
    'no job has the manifest that this decision is about.',
    'missing',
  );
  demand(
    job.manifest.silos.includes(silo),
    'message/unexpected',
    `${silo} is not in job "${job.manifest.jobId}".`,
    'membership',
  );
  if (alreadyStored(job.approvals.get(silo) ?? job.refusals.get(silo), envelope)) return { state, effects: [ANSWERED] };
  const approvals = message.approved ? withEntry(job.approvals, silo, envelope) : job.approvals;
  const approvedBy = message.approved ? withEntry(job.approvedBy, silo, state.events) : job.approvedBy;
  const refusals = message.approved ? job.refusals : withEntry(job.refusals, silo, envelope);
  return stored(withJob(state, { ...job, approvals, approvedBy, refusals }), event);
}

const STOPPED: ReadonlyMap<string, JobStatus> = new Map([
  ['completed', 'completed'],
  ['paused', 'paused'],
  ['ended', 'ended'],
]);

/** The last round is done, a limit was reached, or an operator ended the job. */
export function onJobStopped(
  state: CoordinatorState,
  event: CoordinatorEvent,
  value: CoordinatorJobStopped,
): Accepted<CoordinatorState> {
  const job = jobOf(state, value.jobId);
  const status = demanded(STOPPED.get(value.state), 'job/state', `"${value.state}" is no state of a stopped job.`);
  demand(job.open === undefined, 'job/state', 'a round of the job is open.', 'state');
  if (job.status === status) return { state, effects: [ANSWERED] };
  return stored(withJob(state, { ...job, status, reason: value.reason, stoppedBy: state.events }), event);
}
