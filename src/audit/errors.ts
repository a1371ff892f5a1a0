// What the offline verifier finds beside the refusals that it shares with silos: one closed registry, and the finding itself.

import { CodedError, defineErrors } from '../base/index.js';

export const VERIFY_ERRORS = defineErrors({
  'verify/bundle':
    'The file is no bundle, was cut off, or a part does not have its digest: fetch it again, and compare with the copy of somebody else.',
  'verify/missing-part':
    'Something that the log or a result names is not in the bundle: export it again, or ask another member for the object.',
  'verify/no-log':
    'The roster names no log key: without a transparency log there is nothing to hold the coordinator to.',
  'verify/no-manifest':
    'The log up to the checkpoint has no manifest of this job: export again when silos have cosigned a later one.',
  'verify/entry-place': 'An entry of the log claims another job, round, attempt or signer than the message in it.',
  'verify/second-entry': 'The log holds two entries where only one may be: two plans of a round, two T3 of an attempt.',
  'verify/second-consistency':
    'One silo signed two transcripts in one attempt: both signed messages are proof against it.',
  'verify/second-release':
    'One silo released shares twice in a round without proof that the first attempt was dead: one input may have been opened alone.',
  'verify/second-terminal':
    'The coordinator closed one round twice. The first entry counts; both are proof against the coordinator.',
  'verify/entry-order':
    'Entries stand in an order that the protocol does not allow: something was done before what permits it.',
  'verify/roster-order':
    'The log puts a roster in force that does not follow the one before it, or that the bundle does not hold with its signatures: export again, or ask another member for the chain.',
  'verify/back-dated': 'Entries claim times that contradict each other or the clocks of the silos that cosigned them.',
  'verify/closed-early':
    'The coordinator closed U1, U2 or U3 without a silo before the time of the manifest was up: it kept that silo out.',
  'verify/not-logged': 'A message on which a result rests is not in the log, or stands there with other bytes.',
  'verify/other-transcript': 'The log closed U1 or U2 with other members or another hash than the transcript has.',
  'verify/first-model':
    'The first model is not the one that follows from the forward model and its statistics, or the layout is not that of the job.',
  'verify/statistics':
    'The statistics that standardise the model are not those of the job and result that the manifest names.',
  'verify/ledger':
    'A charge in the log is not the one that the silo signed, or counts of one data set do not rise as rounds are charged to it.',
  'verify/erased':
    'The coordinator has erased on schedule what this round would be verified from: ask for a bundle that was exported before.',
  'verify/ack':
    'A silo acknowledges another outcome or model than the sum gives, or another result than the first one of its round.',
  'verify/unconfirmed':
    'Fewer silos than the threshold have acknowledged a result in the bundle: export again later, or ask the silos.',
  'verify/evidence':
    'This is no evidence, or a message in it is none that evidence is judged by: ask whoever kept it to export it again.',
  'verify/final-model': 'The model that was handed out is not the one that follows from the last round.',
});

export type VerifyCode = keyof typeof VERIFY_ERRORS;

/** Missing things make a bundle incomplete; everything else contradicts. */
export class VerifyError extends CodedError<VerifyCode> {
  override readonly name = 'VerifyError';
  /** Indices of the log's entries that show it. */
  readonly entries: readonly number[];

  constructor(code: VerifyCode, message: string, entries: readonly number[] = []) {
    super(code, message, { category: 'content', remedy: VERIFY_ERRORS[code] });
    this.entries = entries;
  }
}

/** Throws VerifyError unless `holds`. */
export function verified(
  holds: boolean,
  code: VerifyCode,
  message: string,
  entries: readonly number[] = [],
): asserts holds {
  if (!holds) throw new VerifyError(code, message, entries);
}

export const INCOMPLETE: ReadonlySet<string> = new Set<VerifyCode>([
  'verify/missing-part',
  'verify/erased',
  'verify/no-manifest',
  'verify/unconfirmed',
]);
