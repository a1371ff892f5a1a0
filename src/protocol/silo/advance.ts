// The silo's state machine: one event in, the next state and what to do out, or a rejection that changes nothing. Pure: no clock, no
// randomness, no disk; folding the journal gives the same state and the same bytes again.

import { unreachable } from '../../base/index.js';
import { orRejection, type Rejection } from '../rejection.js';
import { onAbandoned, onReleaseQueried } from './aborted.js';
import { onAttemptStarted } from './advertise.js';
import { onConfirmRequested, onFingerprinted } from './confirm.js';
import { onJobClosed } from './done.js';
import type { Accepted, TimedEvent } from './event.js';
import { onContributionFailed, onContributionReady, onInputMasked, onReceiptReceived } from './mask.js';
import { onJobDecided, onJobOffered, onJobPrepared } from './offer.js';
import { onRolledBack } from './rolled-back.js';
import { onRosterProposed, onRosterTaken, onSuccessorSigned } from './roster.js';
import { onComplaintReceived, onKeysReceived, onSharesClosed, onSharesReceived } from './share.js';
import { onStateKept } from './snapshot.js';
import type { SiloSelf, SiloState } from './state.js';
import { onUnmaskRequested } from './unmask.js';
import { onResultReceived, onResultVerified } from './verify.js';
import { onCheckpointRead, onHelloMade, UNREAD_LOG } from './witness.js';

export function initialSiloState(self: SiloSelf): SiloState {
  return {
    self,
    jobs: new Map(),
    openings: new Map(),
    ledger: new Map(),
    lastSums: new Map(),
    recentPlans: [],
    witness: UNREAD_LOG,
  };
}

export function advanceSilo(
  state: SiloState,
  timed: TimedEvent,
): { readonly accepted: Accepted<SiloState> } | { readonly rejected: Rejection } {
  return orRejection(() => transition(state, timed));
}

function transition(state: SiloState, { at, event }: TimedEvent): Accepted<SiloState> {
  switch (event.$case) {
    case 'jobOffered':
      return onJobOffered(state, event, event.value);
    case 'jobDecided':
      return onJobDecided(state, event, event.value);
    case 'jobPrepared':
      return onJobPrepared(state, event, event.value);
    case 'attemptStarted':
      return onAttemptStarted(state, at, event, event.value);
    case 'keysReceived':
      return onKeysReceived(state, event, event.value);
    case 'sharesReceived':
      return onSharesReceived(state, event, event.value);
    case 'complaintReceived':
      return onComplaintReceived(state, event, event.value);
    case 'sharesClosed':
      return onSharesClosed(state, event, event.value);
    case 'contributionReady':
      return onContributionReady(state, event, event.value);
    case 'contributionFailed':
      return onContributionFailed(state, event, event.value);
    case 'inputMasked':
      return onInputMasked(state, event, event.value);
    case 'receiptReceived':
      return onReceiptReceived(state, event, event.value);
    case 'confirmRequested':
      return onConfirmRequested(state, event, event.value);
    case 'fingerprinted':
      return onFingerprinted(state, event, event.value);
    case 'unmaskRequested':
      return onUnmaskRequested(state, event, event.value);
    case 'resultReceived':
      return onResultReceived(state, event.value.directive, event.value.transcript);
    case 'resultVerified':
      return onResultVerified(state, event, event.value);
    case 'releaseQueried':
      return onReleaseQueried(state, event.value);
    case 'abandoned':
      return onAbandoned(state, event, event.value);
    case 'jobClosed':
      return onJobClosed(state, event, event.value);
    case 'rolledBack':
      return onRolledBack(state, event, event.value);
    case 'helloMade':
      return onHelloMade(state, event, event.value);
    case 'checkpointRead':
      return onCheckpointRead(state, at, event, event.value);
    case 'stateKept':
      return onStateKept(state, at, event, event.value);
    case 'successorSigned':
      return onSuccessorSigned(state, event, event.value);
    case 'rosterProposed':
      return onRosterProposed(state, event.value);
    case 'rosterTaken':
      return onRosterTaken(state, event, event.value);
    default:
      return unreachable(event);
  }
}
