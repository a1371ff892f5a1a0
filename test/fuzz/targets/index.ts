// All targets, in the order in which they are run. A target is made when it is needed: some record a whole run first.

import type { Target } from '../target.js';
import { bulkTarget } from './bulk.js';
import { certificatesTarget } from './certificates.js';
import { configTarget } from './config.js';
import { coordinatorTarget, roundTarget } from './coordinator.js';
import { offersTarget } from './offers.js';
import { onnxTarget } from './onnx.js';
import { papersTarget } from './papers.js';
import { resultTarget } from './result.js';
import { siloTarget } from './silo.js';
import { storageTarget } from './storage.js';
import { successionTarget } from './succession.js';
import { wireTarget } from './wire.js';

export interface TargetEntry {
  readonly name: string;
  /** Part of a run over all targets, relative to the others: the dear ones get less. */
  readonly share: number;
  readonly create: () => Target | Promise<Target>;
}

export const TARGETS: readonly TargetEntry[] = [
  { name: 'wire', share: 500, create: () => wireTarget() },
  { name: 'bulk', share: 150, create: bulkTarget },
  { name: 'silo', share: 25, create: () => siloTarget() },
  { name: 'coordinator', share: 60, create: () => coordinatorTarget() },
  { name: 'round', share: 0.3, create: () => roundTarget() },
  { name: 'result', share: 10, create: () => resultTarget() },
  { name: 'onnx', share: 120, create: () => onnxTarget() },
  { name: 'papers', share: 25, create: papersTarget },
  { name: 'succession', share: 15, create: () => successionTarget() },
  { name: 'offers', share: 10, create: offersTarget },
  { name: 'config', share: 10, create: configTarget },
  { name: 'certificates', share: 60, create: () => certificatesTarget() },
  { name: 'storage', share: 40, create: storageTarget },
];
