// All targets, in the order in which they are run. A target is made when it is needed: some record a whole run first.

import type { Target } from '../target.js';
import { bulkTarget } from './bulk.js';
import { certificatesTarget } from './certificates.js';
import { configTarget } from './config.js';
import { coordinatorTarget, roundTarget } from './coordinator.js';
import { onnxTarget } from './onnx.js';
import { papersTarget } from './papers.js';
import { resultTarget } from './result.js';
import { siloTarget } from './silo.js';
import { storageTarget } from './storage.js';
import { wireTarget } from './wire.js';

export interface TargetEntry {
  readonly name: string;
  /** Part of a run over all targets, relative to the others: the dear ones get less. */
  readonly share: number;
  readonly create: () => Target | Promise<Target>;
}

export const TARGETS: readonly TargetEntry[] = [
  { name: 'wire', share: 500, create: () => wireTarget() },
  { name: 'bulk', share: 100, create: bulkTarget },
  { name: 'silo', share: 60, create: () => siloTarget() },
  { name: 'coordinator', share: 100, create: () => coordinatorTarget() },
  { name: 'round', share: 1, create: () => roundTarget() },
  { name: 'result', share: 30, create: () => resultTarget() },
  { name: 'onnx', share: 100, create: () => onnxTarget() },
  { name: 'papers', share: 80, create: papersTarget },
  { name: 'config', share: 40, create: configTarget },
  { name: 'certificates', share: 50, create: () => certificatesTarget() },
  { name: 'storage', share: 60, create: storageTarget },
];
