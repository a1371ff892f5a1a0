// All that a run of the bench finds out.

import type { AgentRoundFigures } from './agent-round.js';
import type { KernelFigures } from './kernels.js';
import type { Machine } from './machine.js';
import type { NoiseRow } from './noise.js';
import type { Stage } from './stages.js';
import type { StartUp } from './start-up.js';
import type { TrainingFigures } from './training.js';
import type { RoundFigures, TransportFigures } from './transport.js';

/** Each part is there as soon as it has been measured: a run that was cut off has written those before. */
export interface Parts {
  readonly kernels?: KernelFigures;
  readonly stages?: readonly Stage[];
  readonly transport?: TransportFigures;
  readonly rounds?: readonly RoundFigures[];
  readonly startUp?: StartUp;
  readonly noise?: readonly NoiseRow[];
  readonly agentRound?: AgentRoundFigures;
  /** Absent where PyTorch is not installed. */
  readonly training?: TrainingFigures;
}

export interface Figures extends Parts {
  /** False while the run goes on, and for good where it was cut off. */
  readonly complete: boolean;
  /** What could not be measured, and why. */
  readonly failed: readonly string[];
  readonly smoke: boolean;
  readonly machine: Machine;
  /** Masking to AES-256-CTR of the same bytes in the same process, each as fast as it gets. */
  readonly maskVsAes?: number;
  /** The same to `openssl speed` on this machine; absent where there is none. */
  readonly maskVsOpenssl?: number;
  readonly maskVsCopy?: number;
  /** Megabytes a second of an upload to those of bare TLS: below 1. */
  readonly uploadVsTls?: number;
  /** A secure round to a plain one over the same transport, all silos on this machine, on the first of `rounds` with 10 silos and 1e6 parameters, or the first of all. */
  readonly secureVsPlain?: number;
  /** The same with every silo on a machine of its own, calculated from stages and transport (apart.ts). */
  readonly secureVsPlainApart?: number;
  /** A silo's check of a result to the coordinator's unmasking of it, on the largest stage with 30 % dropped. */
  readonly verifyVsUnmask?: number;
  /** Exponents of fitted power laws; absent where a run has too few points. */
  readonly growth?: { readonly maskWithN: number; readonly maskWithD: number; readonly unmaskWithN: number };
}
