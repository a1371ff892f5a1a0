// What a process of the simulation may ask of the world around it.

import type { SiloAccepted } from './wrap.js';
import type { Plan, SiloEvent, SiloPolicy } from '../../src/protocol/index.js';
import type { Directive } from '../../src/wire/index.js';
import type { SiloId } from '../../src/base/index.js';
import type { Founded } from '../support/memory/founding.js';
import type { Random } from '../fuzz/random.js';
import type { Answer, Outgoing, SiloFace } from './face.js';
import type { Network, Stream } from './network.js';
import type { Oracle } from './oracle.js';
import type { Timeline } from './timeline.js';

export interface World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly network: Network;
  readonly founded: Founded;
  readonly policy: SiloPolicy;
  readonly oracle: Oracle;
  /** A trap went off in a process. */
  killed(silo: SiloFace, edge: string): void;
  killedCoordinator(edge: string): void;
  /** Between a transition and its effects: oracles look, and planted bugs change what happens. */
  wrap(silo: SiloFace, event: SiloEvent, accepted: SiloAccepted): SiloAccepted;
  /** What a silo is told in the place of a directive: mostly just that. */
  told(silo: number, directive: Directive): readonly Directive[];
  deliver(stream: Stream, directive: Directive): void;
  openStream(silo: SiloFace): boolean;
  streamClosed(stream: Stream): void;
  cut(silo: SiloId): void;
  submit(silo: SiloFace, out: Outgoing, answered: (answer: Answer | undefined) => void): void;
  upload(silo: SiloFace, rid: Uint8Array, attempt: number, bytes: Uint8Array): boolean | undefined;
  fetch(silo: SiloFace, sha256: Uint8Array): Uint8Array | undefined;
  /** Entries of the transparency log; undefined when nobody is there to serve them. */
  readLog(silo: SiloFace, from: number, to: number): readonly Uint8Array[] | undefined;
  /** A consistency proof between two sizes of it; undefined likewise. */
  proveLog(silo: SiloFace, from: number, to: number): readonly Uint8Array[] | undefined;
  /** The coordinator can be reached now. */
  isThere(silo: number): boolean;
  /** A planted bug: silos believe whatever sum is published. */
  readonly trusting: boolean;
  /** A verified sum that the acceptance rule of these simulations rejects. */
  rejects(opened: Int32Array): boolean;
  /** Jobs ask for the same inputs. */
  readonly sameInputs: boolean;
  hasNoInput(silo: number, plan: Pick<Plan, 'jobId' | 'round'>): boolean;
  isMalicious(silo: number): boolean;
}
