// What happens to the coordinator, and what it does about it. Every event is a journal record; recovery folds them again.

import type { JobId, UnixMs } from '../../base/index.js';
import type { CoordinatorRecord, Envelope } from '../../wire/index.js';
import type { CheckedTranscript } from '../check/result.js';
import type { RoundContext } from '../check/context.js';
import type { DealerSet } from '../check/dealers.js';
import type { KeySet } from '../check/advertised.js';
import type { Fingerprints, MaskedInput, SurvivorSet } from '../check/survivors.js';
import type { OpenedSecrets } from '../check/unmask.js';

export type CoordinatorEvent = NonNullable<CoordinatorRecord['event']>;

export interface TimedEvent {
  readonly at: UnixMs;
  readonly event: CoordinatorEvent;
}

/** Done strictly in order by whoever runs the machine. */
export type CoordinatorEffect =
  /** Keep an object that directives name by its hash; durable before the next effect. */
  | { readonly kind: 'store-blob'; readonly bytes: Uint8Array }
  /** Append the event to the journal; durable before the next effect. */
  | { readonly kind: 'persist'; readonly event: CoordinatorEvent; readonly emitted: readonly Envelope[] }
  /** Append entries to the transparency log; durable before the next effect. `first` is the index of the first one. */
  | { readonly kind: 'append'; readonly first: number; readonly entries: readonly Uint8Array[] }
  /** A quorum stands behind this checkpoint: show it to whoever reads the log's files. */
  | { readonly kind: 'publish'; readonly note: Uint8Array }
  /** What the silo whose message this was gets back. */
  | { readonly kind: 'answer'; readonly receipt: Envelope | undefined }
  /** Directives may have changed. */
  | { readonly kind: 'notify' }
  /** Add up the inputs of U3; answers with `sumComputed`. */
  | { readonly kind: 'compute-sum'; readonly context: RoundContext; readonly inputs: ReadonlyMap<number, MaskedInput> }
  /** Compare fingerprints with the sum, and where they do not fit with each input; answers with `fingerprintsChecked`. */
  | {
      readonly kind: 'check-fingerprints';
      readonly context: RoundContext;
      readonly survivors: SurvivorSet;
      readonly fingerprints: ReadonlyMap<number, Fingerprints>;
    }
  /** Remove the masks, judge the sum, apply the update rule; answers with `sumOpened`. */
  | {
      readonly kind: 'open-sum';
      readonly context: RoundContext;
      readonly keys: KeySet;
      readonly dealers: DealerSet;
      readonly survivors: SurvivorSet;
      readonly secrets: OpenedSecrets;
      readonly missing: readonly number[];
    }
  /** Inputs and sums of an attempt that came to nothing may be erased. */
  | { readonly kind: 'forget-attempt'; readonly rid: Uint8Array; readonly attempt: number }
  /** A round got its terminal entry, or a job stopped. */
  | {
      readonly kind: 'closed';
      readonly jobId: JobId;
      readonly round: number;
      readonly transcript: CheckedTranscript | undefined;
    };

export interface Accepted<State> {
  readonly state: State;
  readonly effects: readonly CoordinatorEffect[];
}
