// Orders of the consortium's operators (docs/protocol.md §2.8): opened by the coordinator before it acts, and by a silo that is told to
// let go of a job.

import { asJobId, asSiloId, equalBytes, isCodedError, type JobId, type SiloId } from '../base/index.js';
import { decode, Order, type Envelope } from '../wire/index.js';
import { openEnvelope } from './envelope.js';
import type { Manifest } from './manifest.js';
import { demand, demanded, Refusal } from './rejection.js';
import type { Roster } from './roster.js';
import { rosterWithHash } from './succession.js';

export const ORDER_VERSION = 1;
/** Characters of a reason: what a person reads in a table, and what every silo keeps. */
export const REASON_CHARACTERS_MAX = 500;

export type OrderAction =
  | {
      readonly kind: 'pause-job' | 'resume-job' | 'abort-job';
      readonly jobId: JobId;
      readonly manifestHash: Uint8Array;
    }
  | { readonly kind: 'abort-round'; readonly jobId: JobId; readonly manifestHash: Uint8Array; readonly round: number }
  | { readonly kind: 'deny-silo' | 'allow-silo'; readonly silo: SiloId };

export interface OpenedOrder {
  readonly envelope: Envelope;
  /** The epoch under which it was given. */
  readonly roster: Roster;
  /** "operator/<id>". */
  readonly signer: string;
  /** From 1. */
  readonly number: bigint;
  readonly reason: string;
  readonly action: OrderAction;
}

const OPERATOR = /^operator\//;

/** The epoch whose keys count, as in a manifest: an order stays what it was when the roster has changed since. */
function rosterNamedIn(present: Roster, { payload }: Envelope): Roster {
  if (present.succeeds === undefined) return present;
  try {
    return rosterWithHash(present, decode(Order, 'order', payload).rosterHash) ?? present;
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return present;
  }
}

/** `present`: the roster in force. Throws Refusal `envelope/…`, `order/invalid`. */
export function openOrder(present: Roster, envelope: Envelope | undefined): OpenedOrder {
  const given = demanded(envelope, 'envelope/wrong-type', 'expected a signed order, got nothing.');
  const { signer } = given;
  demand(
    OPERATOR.test(signer),
    'envelope/wrong-signer',
    `an order of an operator was expected, "${signer.slice(0, 80)}" signed it.`,
  );
  const roster = rosterNamedIn(present, given);
  const { message } = openEnvelope(roster, given, { type: 'order', signer }, Order);
  demand(
    message.version === ORDER_VERSION,
    'order/invalid',
    `the order has version ${String(message.version)}, this program knows ${String(ORDER_VERSION)}.`,
  );
  demand(equalBytes(message.rosterHash, roster.hash), 'order/invalid', 'the order was given under another roster.');
  const { length } = message.reason;
  demand(
    length > 0 && length <= REASON_CHARACTERS_MAX,
    'order/invalid',
    `a reason has 1 to ${String(REASON_CHARACTERS_MAX)} characters, this one has ${String(length)}.`,
  );
  return { envelope: given, roster, signer, number: message.number, reason: message.reason, action: actionOf(message) };
}

function actionOf({ action }: Order): OrderAction {
  switch (action?.$case) {
    case 'pauseJob':
      return { kind: 'pause-job', ...jobNamed(action.value) };
    case 'resumeJob':
      return { kind: 'resume-job', ...jobNamed(action.value) };
    case 'abortJob':
      return { kind: 'abort-job', ...jobNamed(action.value) };
    case 'abortRound':
      return { kind: 'abort-round', ...jobNamed(action.value), round: action.value.round };
    case 'denySilo':
      return { kind: 'deny-silo', silo: siloNamed(action.value) };
    case 'allowSilo':
      return { kind: 'allow-silo', silo: siloNamed(action.value) };
    case undefined:
      throw new Refusal('order/invalid', 'the order says nothing that this program knows.');
  }
}

function jobNamed(value: { readonly jobId: string; readonly manifestHash: Uint8Array }) {
  const jobId = demanded(asJobId(value.jobId), 'order/invalid', `"${value.jobId.slice(0, 80)}" is no name of a job.`);
  return { jobId, manifestHash: value.manifestHash };
}

function siloNamed({ siloId }: { readonly siloId: string }): SiloId {
  return demanded(asSiloId(siloId), 'order/invalid', `"${siloId.slice(0, 80)}" is no name of a silo.`);
}

/** That the order is about this job, by name and by what its silos approved. */
export function demandOfJob(manifest: Manifest, action: Extract<OrderAction, { readonly jobId: JobId }>): void {
  demand(
    action.jobId === manifest.jobId && equalBytes(action.manifestHash, manifest.hash),
    'order/invalid',
    `the order is about another job or manifest than "${manifest.jobId}".`,
  );
}
