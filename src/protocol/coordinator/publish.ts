// P6: the opened sum, its outcome and the new model are published with everything needed to check them; then the round is closed.

import { asHash, equalBytes, HASH_BYTES, type SiloId, type UnixMs } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import {
  Ack,
  decode,
  Dispute,
  encode,
  Outcome,
  RoundResult,
  RoundTranscript,
  type CoordinatorSumOpened,
  type Envelope,
} from '../../wire/index.js';
import { resultHash } from '../check/result.js';
import { openEnvelope, seal } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { COORDINATOR, siloSigner } from '../roster.js';
import { alreadyStored, ANSWERED, attemptOf, inOrder, silosAt, stored, withEntry, withJob } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { ClosedRound, CoordinatorJob, CoordinatorState } from './state.js';

export function onSumOpened(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorSumOpened,
): Accepted<CoordinatorState> {
  const found = attemptOf(state, value.rid, value.attempt);
  const { job, round, attempt } = found;
  const { context } = attempt;
  const keys = demanded(attempt.keys, 'job/state', 'no keys.');
  const dealers = demanded(attempt.dealers, 'job/state', 'no dealers.');
  const survivors = demanded(attempt.survivors, 'job/state', 'no survivors.');
  const secrets = demanded(attempt.secrets, 'job/state', 'no sum is being opened.', 'state');
  const quorum = demanded(attempt.quorum, 'job/state', 'no quorum.');
  const missing = [...survivors.members.keys()].filter((index) => !quorum.has(index)).sort((a, b) => a - b);
  const newModelHash = demanded(asHash(value.newModelHash), 'job/state', 'the hash of the new model has not 32 bytes.');
  const envelope = seal(state.self.signingKey, COORDINATOR, 'result', RoundResult, {
    rid: context.plan.rid,
    attempt: value.attempt,
    t3: survivors.t3,
    selfSecrets: indexed(secrets.self),
    maskSecrets: indexed(secrets.key),
    consistency: inOrder(quorum).map((one) => one.envelope),
    missing,
    sumHash: survivors.sumHash,
    openedHash: value.openedHash,
    outcome: value.outcome,
    newModelHash,
    endsJob: value.endsJob,
  });
  const transcript = encode(RoundTranscript, {
    plan: context.plan.envelope,
    attempt: context.attempt.envelope,
    advertised: inOrder(keys.members).map((one) => one.envelope),
    shareHeaders: inOrder(dealers.members).map((one) => one.envelope),
    request: survivors.request,
  });
  const terminalHash = resultHash(envelope.payload);
  const closed: ClosedRound = {
    plan: round.plan,
    attempt: value.attempt,
    closedBy: state.events,
    startedAt: round.startedAt,
    endedAt: at,
    advertisers: silosAt(round.plan, keys.members.keys()),
    dealers: silosAt(round.plan, dealers.members.keys()),
    survivors: silosAt(round.plan, survivors.members.keys()),
    signed: [],
    result: {
      envelope,
      outcome: value.outcome,
      newModelHash,
      endsJob: value.endsJob,
      transcript: { sha256: sha256(transcript), size: BigInt(transcript.length) },
      sum: demanded(attempt.sum, 'job/state', 'no sum.'),
      opened: demanded(value.opened, 'job/state', 'the opened sum was not stored.'),
      missing,
    },
    abandon: undefined,
    terminalHash,
    acks: new Map(),
    aborts: new Map(),
    disputes: new Map(),
    metrics: value.metrics,
    timeline: round.timeline,
    notes: round.notes,
  };
  const rejected = value.outcome === Outcome.OUTCOME_REJECTED;
  const next = withJob(state, {
    ...job,
    open: undefined,
    closed: [...job.closed, closed],
    modelHash: newModelHash,
    modelState: value.modelState,
    previousResultHash: terminalHash,
    rejectedInRow: rejected ? job.rejectedInRow + 1 : 0,
  });
  const done = stored(next, event, [envelope]);
  return {
    state: next,
    effects: [
      { kind: 'store-blob', bytes: transcript },
      ...done.effects.filter((effect) => effect.kind !== 'answer'),
      {
        kind: 'closed',
        jobId: job.manifest.jobId,
        round: round.plan.round,
        transcript: { context, keys, dealers, survivors },
      },
    ],
  };
}

function indexed(secrets: ReadonlyMap<number, { reveal(): Uint8Array }>): { index: number; secret: Uint8Array }[] {
  return [...secrets].sort(([a], [b]) => a - b).map(([index, secret]) => ({ index, secret: secret.reveal() }));
}

/** Ack and Dispute: what a silo made of a terminal entry. Any silo of the job may send them, in the cohort or not. */
export function onVerdict(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
  kind: 'ack' | 'dispute',
): Accepted<CoordinatorState> {
  const codec = kind === 'ack' ? Ack : Dispute;
  const named = decode<{ resultHash: Uint8Array }>(codec, kind, envelope.payload);
  openEnvelope<object>(state.self.roster, envelope, { type: kind, signer: siloSigner(silo) }, codec);
  for (const job of state.jobs.values()) {
    const at = job.closed.findIndex((round) => equalBytes(round.terminalHash, named.resultHash));
    const round = job.closed[at];
    if (round === undefined) continue;
    demand(job.manifest.silos.includes(silo), 'message/unexpected', `${silo} is not in the job.`, 'membership');
    if (kind === 'ack') demandAckFits(round, decode(Ack, 'ack', envelope.payload));
    const known = kind === 'ack' ? round.acks : round.disputes;
    if (alreadyStored(known.get(silo), envelope)) return { state, effects: [ANSWERED] };
    const marked = withEntry(known, silo, envelope);
    const changed: ClosedRound =
      kind === 'ack' ? { ...round, acks: marked, ...entryOfAck(state, round, silo) } : { ...round, disputes: marked };
    return stored(withJob(state, replaceRound(job, at, changed)), event);
  }
  demand(false, 'message/late', 'no round here has this result.', 'missing');
}

/** Its entry is the first that this event adds to the log. */
function entryOfAck({ log }: CoordinatorState, round: ClosedRound, silo: SiloId): Pick<ClosedRound, 'ackEntries'> {
  return log === undefined ? {} : { ackEntries: new Map(round.ackEntries).set(silo, log.range.size) };
}

/** An Ack says what the silo computed itself: with another outcome or model it would be a Dispute. */
function demandAckFits({ result, plan }: ClosedRound, ack: Ack): void {
  const outcome = result?.outcome ?? Outcome.OUTCOME_UNSPECIFIED;
  const model = result?.newModelHash ?? plan.modelHash;
  demand(
    ack.outcome === outcome && equalBytes(ack.newModelHash, model),
    'result/outcome',
    'the acknowledgement names another outcome or model than the result it is about.',
  );
  const { charge } = ack;
  demand(
    charge === undefined || (charge.dataSet.length === HASH_BYTES && charge.rounds >= 1n),
    'message/unexpected',
    'the charge in the acknowledgement does not name a data set in 32 bytes and its rounds from 1 on.',
  );
}

function replaceRound(job: CoordinatorJob, at: number, round: ClosedRound): CoordinatorJob {
  return { ...job, closed: job.closed.map((one, i) => (i === at ? round : one)) };
}
