// What somebody can be convicted of. One closed list; docs/audit.md has a row for each.

export const CHARGES = {
  'second-plan': 'two plans for one round',
  'second-start': 'two starts of one attempt',
  'second-survivors': 'two survivor sets or sums announced in one attempt',
  'second-terminal': 'one round closed twice',
  'second-receipt': 'two receipts for one upload',
  'second-message': 'two messages in one place',
  'second-successor': 'two successors of one roster signed',
  'second-transcript': 'two transcripts confirmed in one attempt',
  'second-release': 'shares released on two transcripts of one attempt',
  'released-and-aborted': 'shares released in an attempt that was declared aborted',
  'both-kinds': 'both kinds of shares of one silo released',
  fork: 'two logs of one size shown or cosigned',
  'left-out': 'an input left out of the sum though its receipt was given',
  'bad-plan': 'a plan with a threshold or a cohort that no plan may have',
  'too-few': 'fewer survivors announced than the threshold',
  'low-order': 'a public key of low order advertised',
  'repeated-key': 'an ephemeral key used twice, or one of low order',
  'bad-dealing': 'a sealed share that does not open to what was committed to',
  'false-complaint': 'a complaint about a sealed share that is good',
  'bad-share': 'a released share that does not match its commitment',
  'bad-secret': 'shares that do not give the secret that was committed to',
  'lying-fingerprint': 'a fingerprint that is not that of the input',
} as const;

export type Charge = keyof typeof CHARGES;

export interface Conviction {
  /** e.g. "coordinator", "silo/a". */
  readonly accused: string;
  readonly charge: Charge;
  /** What the signed bytes show, for people. */
  readonly message: string;
}
