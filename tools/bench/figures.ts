// All that a run of the bench finds out.

import type { KernelFigures } from './kernels.js';
import type { Machine } from './machine.js';
import type { NoiseRow } from './noise.js';
import type { Stage } from './stages.js';
import type { StartUp } from './start-up.js';
import type { TrainingFigures } from './training.js';
import type { RoundFigures, TransportFigures } from './transport.js';

export interface Figures {
  /** Masking to AES-256-CTR of the same bytes in the same process, each as fast as it gets. */
  readonly maskVsAes: number;
  readonly maskVsCopy: number;
  /** Megabytes a second of an upload to those of bare TLS: below 1. */
  readonly uploadVsTls: number;
  /** A secure round to a plain one over the same transport, on the first of `rounds`. */
  readonly secureVsPlain: number;
  readonly smoke: boolean;
  readonly machine: Machine;
  readonly kernels: KernelFigures;
  readonly stages: readonly Stage[];
  readonly transport: TransportFigures;
  readonly rounds: readonly RoundFigures[];
  readonly startUp: StartUp;
  readonly noise: readonly NoiseRow[];
  /** Undefined where PyTorch is not installed. */
  readonly training: TrainingFigures | undefined;
  /** Exponents of fitted power laws; null where a run has too few points. */
  readonly growth: { readonly maskWithN: number; readonly maskWithD: number; readonly unmaskWithN: number };
}
