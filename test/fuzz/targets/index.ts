// All targets, in the order in which they are run. A target is made when it is needed: some record a whole run first.

import type { Target } from '../target.js';
import { coordinatorTarget, roundTarget } from './coordinator.js';
import { onnxTarget } from './onnx.js';
import { siloTarget } from './silo.js';
import { wireTarget } from './wire.js';

export interface TargetEntry {
  readonly name: string;
  /** Part of a run over all targets, relative to the others: the dear ones get less. */
  readonly share: number;
  readonly create: () => Target | Promise<Target>;
}

export const TARGETS: readonly TargetEntry[] = [
  { name: 'wire', share: 500, create: () => wireTarget() },
  { name: 'silo', share: 60, create: () => siloTarget() },
  { name: 'coordinator', share: 100, create: () => coordinatorTarget() },
  { name: 'onnx', share: 100, create: () => onnxTarget() },
  { name: 'round', share: 1, create: () => roundTarget() },
];
