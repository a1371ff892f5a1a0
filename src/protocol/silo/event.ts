// What happens to a silo, and what it does about it. Events that change the state are journal records (proto/veilsum/v1/journal.proto),
// so that recovery is the same fold; `resultReceived` changes nothing until the vectors have been checked, `rosterProposed` until it is signed.

import type { JobId, UnixMs } from '../../base/index.js';
import type { SecretBytes } from '../../crypto/index.js';
import type { Envelope, ResultDirective, RoundTranscript, SignedRoster, SiloRecord } from '../../wire/index.js';
import type { CheckedResult } from '../check/result.js';
import type { Manifest } from '../manifest.js';
import type { MaskKeys } from '../masking.js';
import type { Plan } from '../plan.js';
import type { Roster } from '../roster.js';
import type { SurvivorSet } from '../check/survivors.js';

export type JournalledEvent = NonNullable<SiloRecord['event']>;

export type SiloEvent =
  | JournalledEvent
  | {
      readonly $case: 'resultReceived';
      readonly value: { readonly directive: ResultDirective; readonly transcript: RoundTranscript };
    }
  | { readonly $case: 'rosterProposed'; readonly value: SignedRoster };

/** An event with the time it happened, by the silo's own clock. */
export interface TimedEvent {
  readonly at: UnixMs;
  readonly event: SiloEvent;
}

/** Done strictly in order by whoever runs the machine: what comes before a send is durable before it. */
export type SiloEffect =
  /** Append the event with these signed messages to the journal; durable before the next effect. */
  | { readonly kind: 'persist'; readonly event: JournalledEvent; readonly emitted: readonly Envelope[] }
  /** Hand in a signed message; repeated until it is answered. */
  | { readonly kind: 'submit'; readonly envelope: Envelope; readonly ciphertexts: readonly Uint8Array[] }
  /** Tell the silo's operator that a job waits for a decision. */
  | { readonly kind: 'ask-operator'; readonly manifest: Manifest }
  /** Tell the silo's operator of a roster that somebody proposes. */
  | { readonly kind: 'ask-about-roster'; readonly proposed: Roster; readonly signatures: readonly Envelope[] }
  /** A roster is in force now: keep its chain where the operator's commands read it. */
  | { readonly kind: 'keep-roster'; readonly roster: Roster }
  /** Fetch and check what an approved job needs; answers with `jobPrepared`. */
  | { readonly kind: 'prepare-job'; readonly manifest: Manifest }
  /** Compute, quantise and store the input of a round; answers with `contributionReady` or `contributionFailed`. */
  | {
      readonly kind: 'contribute';
      readonly manifest: Manifest;
      readonly plan: Plan;
      readonly roundSecret: SecretBytes<'round'>;
    }
  /** Mask the stored input and upload it; answers with `inputMasked`. */
  | {
      readonly kind: 'mask-and-upload';
      readonly plan: Plan;
      readonly attempt: number;
      readonly inputHash: Uint8Array;
      readonly masks: MaskKeys;
      readonly modulusBits: number;
    }
  /** Fingerprint the masked input; answers with `fingerprinted`. */
  | {
      readonly kind: 'fingerprint';
      readonly plan: Plan;
      readonly attempt: number;
      readonly inputHash: Uint8Array;
      readonly masks: MaskKeys;
      readonly modulusBits: number;
      readonly survivors: SurvivorSet;
    }
  /** Check a result's vectors, compute outcome and model; answers with `resultVerified`. */
  | {
      readonly kind: 'verify-result';
      readonly manifest: Manifest;
      readonly result: CheckedResult;
      readonly directive: ResultDirective;
      /** The sum holds an input of this silo that its journal does not know: the answer names that input's keys. */
      readonly restores: boolean;
    }
  /** The stored input of a closed round may be erased. */
  | { readonly kind: 'forget-input'; readonly inputHash: Uint8Array }
  /** Ask the coordinator for everything again: what was refused for want of a quorum is of use now. */
  | { readonly kind: 'watch-anew' }
  /** Tell the silo's operator. */
  | {
      readonly kind: 'notice';
      readonly jobId: JobId;
      readonly round: number;
      readonly code: string;
      readonly detail: string;
    };

export interface Accepted<State> {
  readonly state: State;
  readonly effects: readonly SiloEffect[];
}

/** Hands in a message that has no ciphertexts beside it. */
export function submit(envelope: Envelope): SiloEffect {
  return { kind: 'submit', envelope, ciphertexts: [] };
}
