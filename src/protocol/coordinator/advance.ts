// The coordinator's state machine: one event in, the next state and what to do out, or a rejection that changes nothing. Pure, so that
// recovery is a fold over the journal.

import { asSiloId, unreachable, type UnixMs } from '../../base/index.js';
import type { CoordinatorMessageReceived, CoordinatorPhaseClosed } from '../../wire/index.js';
import { demand, demanded, orRejection, type Rejection } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { onActNoted, onErasure } from './act.js';
import { closeAborted, onAbort, onProtest, onReleaseAnswer } from './aborted.js';
import { jobOf, type Located } from './change.js';
import { demandNotDenied } from './denied.js';
import { closeCheck, onComplaint, onComplaintAnswer, onSharesChecked } from './check.js';
import { closeConfirm, onConsistency, onFingerprintsChecked } from './confirm.js';
import { onApproval, onJobCreated, onJobStopped } from './create.js';
import type { Accepted, CoordinatorEvent, TimedEvent } from './event.js';
import { failAttempt } from './fail.js';
import { closeAdvertise, onAdvertised, onRoundOpened } from './gather.js';
import { onOrderGiven } from './order.js';
import { initialLog, logged, onCheckpointMade, onCosign, onHello } from './log.js';
import { closeMask, onDecline, onMaskedHeader, onSumComputed } from './mask.js';
import { onSumOpened, onVerdict } from './publish.js';
import { demandMember, onSuccessor } from './roster.js';
import { closeShare, onShareHeader } from './share.js';
import type { CoordinatorSelf, CoordinatorState } from './state.js';
import { onUnmask } from './unmask.js';
import { releasesMissing } from './release.js';
import { onExclude, onRollback } from './vote.js';

export function initialCoordinatorState(self: CoordinatorSelf): CoordinatorState {
  return {
    self,
    jobs: new Map(),
    orders: [],
    denied: new Map(),
    erasures: new Map(),
    events: 0,
    log: initialLog(self),
    successions: [],
    proposals: new Map(),
  };
}

export function advanceCoordinator(
  state: CoordinatorState,
  timed: TimedEvent,
): { readonly accepted: Accepted<CoordinatorState> } | { readonly rejected: Rejection } {
  return orRejection(() => {
    const numbered = { ...state, events: state.events + 1 };
    const next = transition(numbered, timed);
    // An event that left no trace is not counted, so that numbers follow the journal.
    if (!next.effects.some((effect) => effect.kind === 'persist')) return { state, effects: next.effects };
    return logged(state, timed, next);
  });
}

function transition(state: CoordinatorState, { at, event }: TimedEvent): Accepted<CoordinatorState> {
  switch (event.$case) {
    case 'jobCreated':
      return onJobCreated(state, at, event, event.value);
    case 'roundOpened':
      return onRoundOpened(state, at, event, event.value);
    case 'messageReceived':
      return onMessage(state, at, event, event.value);
    case 'phaseClosed':
      return onPhaseClosed(state, at, event, event.value);
    case 'sumComputed':
      return onSumComputed(state, at, event, event.value);
    case 'fingerprintsChecked':
      return onFingerprintsChecked(state, at, event, event.value);
    case 'sumOpened':
      return onSumOpened(state, at, event, event.value);
    case 'jobStopped':
      return onJobStopped(state, event, event.value);
    case 'orderGiven':
      return onOrderGiven(state, at, event, event.value);
    case 'checkpointMade':
      return onCheckpointMade(state, at, event);
    case 'actNoted':
      return onActNoted(state, event, event.value);
    default:
      return unreachable(event);
  }
}

function onMessage(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorMessageReceived,
): Accepted<CoordinatorState> {
  const silo = demanded(asSiloId(value.siloId), 'message/unexpected', 'not a silo id.', 'membership');
  demandMember(state, silo);
  demandNotDenied(state, silo);
  const envelope = demanded(value.envelope, 'envelope/wrong-type', 'nothing was handed in.');
  demand(
    envelope.signer === siloSigner(silo),
    'envelope/wrong-signer',
    `${silo} handed in a message signed by "${envelope.signer.slice(0, 80)}".`,
    'membership',
  );
  switch (envelope.type) {
    case 'approval':
      return onApproval(state, event, silo, envelope);
    case 'advertise':
      return onAdvertised(state, event, envelope);
    case 'share-header':
      return onShareHeader(state, event, envelope, value.ciphertexts);
    case 'shares-checked':
      return onSharesChecked(state, event, envelope);
    case 'complaint':
      return onComplaint(state, event, envelope);
    case 'answer':
      return onComplaintAnswer(state, event, envelope);
    case 'masked-header':
      return onMaskedHeader(state, event, envelope, value.computedRoot);
    case 'decline':
      return onDecline(state, event, envelope);
    case 'consistency':
      return onConsistency(state, at, event, envelope);
    case 'unmask':
      return onUnmask(state, at, event, envelope);
    case 'ack':
    case 'dispute':
      return onVerdict(state, event, silo, envelope, envelope.type);
    case 'abort':
      return onAbort(state, event, silo, envelope);
    case 'release-answer':
      return onReleaseAnswer(state, event, silo, envelope);
    case 'protest':
      return onProtest(state, event, silo, envelope);
    case 'exclude':
      return onExclude(state, event, silo, envelope);
    case 'rollback':
      return onRollback(state, event, silo, envelope);
    case 'erasure':
      return onErasure(state, at, event, silo, envelope);
    case 'hello':
      return onHello(state, at, event, silo, envelope);
    case 'cosign':
      return onCosign(state, event, silo, envelope);
    case 'successor':
      return onSuccessor(state, event, silo, envelope);
    default:
      demand(false, 'envelope/wrong-type', `silos do not hand in a signed "${envelope.type.slice(0, 40)}".`);
  }
}

/** A phase ends because all is in, enough is in, or time is up; what follows depends on whether the threshold was met. */
function onPhaseClosed(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorPhaseClosed,
): Accepted<CoordinatorState> {
  const job = jobOf(state, value.jobId);
  const open = demanded(job.open, 'job/state', 'no round of the job is open.', 'state');
  const { attempt } = open;
  const { t, least } = open.plan;
  demand(
    open.plan.round === value.round &&
      attempt.context.attempt.attempt === value.attempt &&
      attempt.phase === value.phase,
    'job/state',
    'the phase to be closed is not the open one.',
    'state',
  );
  const found: Located = { job, round: open, attempt };
  const fail = (missing: string, have: number, needed: number): Accepted<CoordinatorState> =>
    failAttempt(state, found, at, event, `${String(have)} ${missing}, ${String(needed)} are needed (${value.cause})`);
  switch (attempt.phase) {
    case 'advertise':
      return attempt.advertised.size >= least
        ? closeAdvertise(state, found, at, event)
        : fail('silos advertised keys', attempt.advertised.size, least);
    case 'share':
      return attempt.offeredShares.size >= least
        ? closeShare(state, found, at, event)
        : fail('silos dealt shares', attempt.offeredShares.size, least);
    case 'check':
      return closeCheck(state, found, at, event, value.cause);
    case 'mask':
      demand(!attempt.closing, 'job/state', 'the inputs are closed already.', 'state');
      return attempt.masked.size >= least
        ? closeMask(state, found, event)
        : fail('inputs arrived', attempt.masked.size, least);
    case 'confirm':
      demand(attempt.quorum === undefined, 'job/state', 'confirmation is closed already.', 'state');
      return attempt.consistency.size >= t
        ? closeConfirm(state, found, event)
        : fail('survivors confirmed', attempt.consistency.size, t);
    case 'unmask':
      return failAttempt(state, found, at, event, `${releasesMissing(attempt)} (${value.cause})`);
    case 'aborted':
      return closeAborted(state, found, at, event);
    case 'publish':
      demand(false, 'job/state', 'a result is being computed.', 'state');
  }
}
