// Refusals of the protocol: a message that is wrong in itself or for the state it meets. The state stays as it was. Each code is one
// check, named in docs/errors.md and tested by a sentence; `advance` catches them at its door, so that a check is one line.

import { CodedError, defineErrors, isCodedError, type ErrorCategory, type ErrorContext } from '../base/index.js';
import type { Envelope } from '../wire/index.js';
import type { Exhibits } from './exhibits.js';

export const PROTOCOL_ERRORS = defineErrors({
  'envelope/unknown-signer':
    'The signer is not in the roster. The silo was never admitted, or the two sides hold different rosters.',
  'envelope/wrong-signer': 'The message is signed, but not by the one who must sign it.',
  'envelope/wrong-type': 'The message is of another signed type than its place demands.',
  'envelope/bad-signature':
    'The signature does not verify. The message was changed on the way or signed with another key than the roster has.',
  'roster/invalid':
    'The roster breaks a rule: repeated or unsorted ids, keys that are weak or used twice, a version this program does not know.',
  'roster/wrong-hash':
    'The roster is not the one that is pinned by hash. Ask the consortium for the right file; never change the pinned hash to fit a file.',
  'roster/epoch':
    'The roster does not follow the one in force here: another epoch, or another predecessor. `veilsum-agent roster show` says which is in force; propose from that one.',
  'roster/fixed':
    'A successor keeps the name of the consortium and the keys of coordinator and log. To change those, found a consortium anew.',
  'roster/keys':
    'A member keeps its keys from epoch to epoch, and a key its member. An institution with new keys joins under a new name, and the old name is removed.',
  'roster/signature':
    'A signature on a successor is about another roster than the one it came with, or its signer is no member of the roster in force.',
  'roster/too-few':
    'Fewer members of the roster in force have signed its successor than floor(2N/3)+1. `veilsum-agent roster show` lists who is missing.',
  'roster/second-successor':
    'This silo has signed another successor of the roster in force already. It signs one for each epoch and never takes it back: the others go on without it, or agree on that one.',
  'roster/unknown': 'The coordinator knows no proposed roster with this hash: whoever proposed it hands it in first.',
  'roster/not-a-member': 'The roster in force has no such silo: it was removed by a quorum of the members.',
  'manifest/invalid':
    'The job manifest breaks a rule of its own: version, silos, layout, bounds. The operator corrects the job file and signs again.',
  'manifest/wrong-roster': 'The manifest was made under another roster than the one in force here.',
  'manifest/repeated-job':
    'A manifest with other bytes is already known under this job id. A changed job needs a new id.',
  'manifest/graph':
    'The manifest asks for a regular masking graph that gives nothing or cannot be: in the smallest cohort every silo would need all others as neighbours, or more silos are to be absent than may be. Raise minCohort, lower maxMalicious or graph.absent, or use the complete graph.',
  'approval/unknown-manifest': 'The approval names a manifest that is not known here.',
  'plan/unknown-job': 'The plan belongs to a job whose manifest this silo does not know.',
  'plan/not-approved': "This silo's own operator has not approved the manifest. See `veilsum-agent job list`.",
  'plan/not-prepared': 'The silo has not finished preparing the job, or could not: see its log.',
  'plan/wrong-manifest': 'The plan names another manifest than the approved one.',
  'plan/invalid': 'The plan breaks a rule of its own: version, epoch, key agreement, sizes.',
  'plan/cohort':
    "The cohort is not sorted and unique inside the job's silos and the roster, or does not contain this silo.",
  'plan/roster-epoch':
    'The plan names another epoch of the roster than the one in force here. While a new roster is on its way this passes by itself; otherwise compare `veilsum-agent roster show` among the silos.',
  'plan/threshold':
    "The threshold is not floor(2n/3)+1. A coordinator that picks thresholds could open a single silo's input.",
  'plan/graph':
    'The masking graph of the plan is not the one that follows from the manifest. A coordinator that picks its degree or threshold could take a mask apart.',
  'plan/graph-complete':
    "The job masks along a regular graph, and this silo's own policy demands the complete one. Allow it with `policy.graph: regular` once its guarantees are understood: docs/threat-model.md.",
  'plan/graph-floor':
    "The masking graph of the job protects against fewer colluding silos than this silo's own policy assumes (policy.maxMalicious). The job needs a larger maxMalicious.",
  'plan/no-proof':
    'The start of an attempt names proofs against silos that prove nothing: the coordinator tries to put somebody out of the job, or shows too many. Tell the consortium; no round begins here until it stops.',
  'plan/floor-cohort': "The cohort is smaller than this silo's own policy or the manifest allows.",
  'plan/floor-honest':
    'With this cohort the sum could hold too few honest inputs, or the counting rules do not hold for the number of malicious silos assumed.',
  'plan/round-order': 'The round is not the next one, or attempts do not increase.',
  'plan/round-limit': "The round is beyond the manifest's limit.",
  'plan/rounds-per-day': "This silo's own policy allows no further round today.",
  'plan/budget':
    "The round would cost more than this silo's own policy leaves of the data set's privacy budget. See `veilsum-agent ledger show`; the budget is policy.privacy.dataSets.",
  'plan/without-noise':
    "The round adds no noise, and this silo's own policy has a privacy budget for the data set. Allow it with `withoutNoise: allow`, or ask for a job with noise.",
  'plan/previous-result': 'The plan does not follow from the last result that this silo verified.',
  'plan/model-mismatch':
    'The plan starts from another model than the one this silo computed itself. Two silos are being shown different models, or this one missed a round.',
  'plan/second-plan': 'A second plan with other bytes came for the same round. Both are kept as evidence.',
  'plan/reserved': 'The checkpoint is named where the consortium keeps no log, or missing where it keeps one.',
  'plan/released': 'This silo has released its shares in an earlier attempt, and that attempt is not proven dead.',
  'keys/wrong-round': 'A key advertisement belongs to another round or attempt.',
  'keys/model': "A member advertises keys for another model hash than the plan's.",
  'keys/repeated': 'Two public keys of one attempt are equal.',
  'keys/low-order': 'A public key is of low order: any secret agreed with it would be known to everybody.',
  'keys/own-entry': "This silo's own advertisement is missing or was changed.",
  'keys/too-few': 'Fewer distinct members than the threshold advertised keys.',
  'keys/reserved': 'A field that must be empty is not, or the checkpoint is missing where the consortium keeps a log.',
  'share/wrong-transcript': 'A share header rests on another T1.',
  'share/entries': 'A share header does not have exactly one entry for each member of U1, in order.',
  'share/repeated-key': 'Ephemeral keys within a header are not distinct and of high order.',
  'share/ciphertext-hash': 'A ciphertext does not match the hash its dealer signed. The coordinator changed it.',
  'share/not-neighbour':
    'The coordinator delivered shares of a silo that is no neighbour of this one in the masking graph. Nothing is opened.',
  'share/bad-ciphertext':
    'A ciphertext that its dealer signed does not open, or its shares do not match their commitments. The attempt ends.',
  'share/missing': 'A ciphertext or header that this silo needs was not delivered.',
  'share/too-few': 'Fewer distinct members than the threshold dealt shares.',
  'share/not-checked': 'U2 names a dealer whose header this silo has not checked.',
  'complaint/invalid': 'A complaint names a ciphertext that was not dealt, or rests on another transcript.',
  'complaint/wrong-key': 'The answer to a complaint does not reveal the ephemeral key that the dealer had signed.',
  'complaint/unasked': 'Nobody complained about what this answer is about.',
  'message/barred':
    'A silo was proven to have broken the protocol in this job, or voted out of it: nothing of it is taken any more, and no set of keys that it is in.',
  'mask/wrong-transcript': 'A masked header rests on other transcripts, or names another length.',
  'mask/root-differs': 'The uploaded bytes do not hash to the root in the signed header.',
  'mask/receipt': "The receipt does not confirm this silo's own upload.",
  'mask/closed': 'U3 is closed or closing: the input came too late for this attempt.',
  'confirm/too-few': 'Fewer survivors than the threshold, or too few of them would be honest.',
  'confirm/not-dealer': 'The survivor set names somebody outside U2.',
  'confirm/headers': 'The request does not carry exactly one valid masked header for each survivor, in order.',
  'confirm/own-root': 'The header listed for this silo is not the one it signed.',
  'confirm/left-out':
    'This silo holds a receipt and is left out of the survivors. It protests, and neither signs nor releases.',
  'confirm/second-set': 'A second survivor set or sum came for the same attempt. Both are kept as evidence.',
  'confirm/input-rule':
    'The same input was opened before with other survivors; the difference of the two sums would isolate silos.',
  'confirm/differencing':
    "The sum and the last ones like it differ by one silo, tell about one when taken together, or differ by what changed in this silo's records, and this silo's own policy refuses that (policy.differencing: refuse). With `warn` it is only told of.",
  'confirm/released': 'This silo has released in another attempt of the round that is not proven dead.',
  'confirm/aborted': 'This silo has aborted this attempt or a later one.',
  'confirm/wrong-phase': 'The silo is not at the point where this message is of use.',
  'unmask/too-few': 'Fewer than the threshold of distinct survivors signed this transcript.',
  'unmask/wrong-transcript': 'A consistency message is on another T3.',
  'unmask/not-survivor': 'A consistency message comes from outside U3.',
  'unmask/shares': 'An unmask message does not carry exactly one share of the right kind for each member, in order.',
  'unmask/bad-share': 'A released share does not match its commitment: proof against the responder.',
  'unmask/bad-secret':
    'Shares that all match their commitments do not give the committed secret: proof against the dealer. The attempt ends.',
  'result/wrong-transcript': 'The result does not belong to the transcript it came with.',
  'result/openings': 'The result does not open exactly one secret for each member that must be opened, in order.',
  'result/commitment': 'An opened secret does not match its commitment.',
  'result/consistency': 'Consistency messages and the list of missing ones do not cover the survivors exactly.',
  'result/sum': 'The published sum does not match its hash, or a coordinate is outside its range.',
  'result/fingerprint': 'The sum is not the sum of the inputs that the survivors sent: the fingerprints do not add up.',
  'result/missing-input': 'An input listed as missing its fingerprint was not served or does not match its root.',
  'result/opened': 'The opened sum is not what the openings give.',
  'result/outcome': 'The outcome or the new model is not what this silo computed itself from the verified sum.',
  'result/order': 'The result is not for the next round of this job.',
  'vote/invalid':
    'A vote is not about this job, or does not follow from the last round, or names a model that was never computed. Votes decide only what is named exactly.',
  'vote/too-few': 'Fewer distinct silos of the job have voted for this than its threshold.',
  'log/note':
    "A checkpoint is not one of the consortium's log: malformed, of another log, or without the log's valid signature.",
  'log/entry': 'An entry of the log is not one: its bytes are malformed or break a rule of its kind.',
  'log/root':
    'The entries that were served do not give the root of the checkpoint. The log or the way to it changed them.',
  'log/fork':
    'Two checkpoints of one size have different roots: the coordinator shows different logs. Both are kept as evidence; tell the other members.',
  'log/shrunk': 'The log is shorter than the one this silo has read before, or leaves out what it had read.',
  'log/unread': 'The message rests on a checkpoint that this silo has not read yet; it does so and then goes on.',
  'log/no-quorum':
    "Too few of the job's silos have cosigned the checkpoint. They may be away; the coordinator asks them again.",
  'log/hello-pending':
    "This silo has started and waits for a checkpoint that holds its Hello and is cosigned by a quorum of the job's silos.",
  'log/hello-often':
    'A silo has said Hello too often within an hour. Its program is restarting again and again: see its log.',
  'log/not-logged': 'A result or Abandon is not in the part of the log that this silo has read.',
  'log/other-terminal': 'The log closed this round with another result or Abandon first: the first one counts.',
  'log/rolled-back':
    'The log knows more of this silo in this round than its own journal does: its disk was set back. It sits the round out.',
  'log/cosignature': 'A cosignature does not belong to a checkpoint of this log or does not verify.',
  'abort/invalid': 'An abort, release answer or decline does not belong to the attempt it names.',
  'abandon/invalid': 'The abandonment does not belong to an open round of this job.',
  'job/state': 'The job is not in the state this needs.',
  'order/invalid':
    'An order of an operator breaks a rule of its own, or is about another roster, job or manifest than the one here.',
  'order/number': 'Another order was taken in the meantime: look at what it changed, and give the order again.',
  'order/no-effect': 'What the order asks for is so already.',
  'order/missing':
    'The coordinator says that a job is over before its last round and shows no order of an operator. The silo keeps the job; ask the consortium.',
  'message/protocol-version':
    'Agent and coordinator speak different versions of the protocol; the message names both. Bring the older program up to date: see the version skew policy in docs/operations.md.',
  'message/denied':
    "An operator of the consortium keeps this silo out; the message says why. The silo's operator talks to the consortium.",
  'message/conflict': 'Other bytes are already stored in this place. The first ones stay; both are evidence.',
  'message/late': 'The phase this message belongs to is closed.',
  'message/unexpected': 'The sender has no place in this round, or the message does not fit the phase.',
});

export type RejectionCode = keyof typeof PROTOCOL_ERRORS;

export class Refusal extends CodedError<RejectionCode> {
  /** Signed messages that contradict each other: kept by whoever refuses, for anybody to check. */
  readonly evidence: readonly Envelope[];
  readonly exhibits: Exhibits | undefined;

  constructor(
    code: RejectionCode,
    message: string,
    context: ErrorContext & { readonly evidence?: readonly Envelope[]; readonly exhibits?: Exhibits | undefined } = {},
  ) {
    super(code, message, { category: 'content', ...context });
    this.evidence = context.evidence ?? [];
    this.exhibits = context.exhibits;
  }
}

/** Throws a Refusal unless `holds`. */
export function demand(
  holds: boolean,
  code: RejectionCode,
  detail: string,
  category: ErrorCategory = 'content',
): asserts holds {
  if (!holds) throw new Refusal(code, detail, { category });
}

/** Throws a Refusal unless `holds`, with the signed messages that cannot both be honest. */
export function demandOne(
  holds: boolean,
  code: RejectionCode,
  detail: string,
  evidence: readonly (Envelope | undefined)[],
): asserts holds {
  if (!holds) throw new Refusal(code, detail, { evidence: evidence.filter((one) => one !== undefined) });
}

/** Runs checks of a signed message: when they refuse it for one of these reasons, it is proof by itself against who signed it. */
export function withEvidence<T>(
  codes: readonly RejectionCode[],
  evidence: readonly (Envelope | undefined)[],
  check: () => T,
): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Refusal) || !codes.includes(error.code)) throw error;
    const { code, message, category } = error;
    throw new Refusal(code, message, { category, evidence: evidence.filter((one) => one !== undefined) });
  }
}

/** The value, or a Refusal when there is none. */
export function demanded<T>(
  value: T | undefined,
  code: RejectionCode,
  detail: string,
  category: ErrorCategory = 'content',
): T {
  if (value === undefined) throw new Refusal(code, detail, { category });
  return value;
}

/** The answer to an event that was refused: the state is unchanged and nothing is done. */
export interface Rejection {
  readonly code: string;
  readonly detail: string;
  readonly category: ErrorCategory;
  /** Signed messages worth keeping; mostly none. */
  readonly evidence: readonly Envelope[];
  readonly exhibits?: Exhibits | undefined;
}

/** Runs a transition and turns its refusals into a value; bugs stay exceptions. */
export function orRejection<T>(transition: () => T): { readonly accepted: T } | { readonly rejected: Rejection } {
  try {
    return { accepted: transition() };
  } catch (error) {
    if (!isCodedError(error) || error.category === 'internal') throw error;
    const { evidence, exhibits } = error instanceof Refusal ? error : { evidence: [], exhibits: undefined };
    return { rejected: { code: error.code, detail: error.message, category: error.category, evidence, exhibits } };
  }
}
