// Other coordinators on the same store, as the service sees them: one leads, and has the others' messages fed.

import type { CoordinatorEvent } from '../src/protocol/index.js';
import type { ActRecord, Envelope } from '../src/wire/index.js';

/** The upload that the computed root of a masked header is of. */
export interface ReadUpload {
  readonly name: string;
  readonly generation: string;
}

export interface Peers {
  /** Has the leader feed an event; resolves when this process has read what came of it. Throws CodedError. */
  forward(event: CoordinatorEvent, upload?: ReadUpload): Promise<Envelope | undefined>;
  forwardAct(record: ActRecord): Promise<boolean>;
  /**
   * Our state is the newest there is when it resolves, so that a refusal may rest on it: of the one that leads, that it still does; of the
   * others, that they have read everything. Throws coordinator/not-leading where that cannot be known.
   */
  newest(): Promise<void>;
}
