// What tests of training share: engines in the test's own thread, a small separable table, a recipe.

import { defaultLoss, initialParameters, type LossKind, type LossSettings } from '../../src/model/index.js';
import { Engine } from '../../src/trainer/engine.js';
import type { Table, TrainingRecipe, TrainingRequest } from '../../src/trainer/index.js';
import { seededNumbers } from './onnx-models.js';

export const SEED = new Uint8Array(32).fill(7);
export const QUIET = { aborted: () => false, progress: () => undefined };

export const RECIPE: TrainingRecipe = {
  batchSize: 8,
  duration: { kind: 'epochs', epochs: 30 },
  optimiser: { kind: 'sgd', momentum: 0.9 },
  learningRate: 0.1,
};

/** Two clouds on either side of a line through the origin. */
export function separable(rows: number, seed = 3): Table {
  const next = seededNumbers(seed);
  const features = new Float32Array(rows * 2);
  const targets = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = row % 2;
    targets[row] = label;
    features[2 * row] = (label === 1 ? 1.5 : -1.5) + 0.8 * next();
    features[2 * row + 1] = (label === 1 ? 1 : -1) + 0.8 * next();
  }
  return { rows, columns: 2, features, targets };
}

const open: Engine[] = [];

/** An engine that `closeEngines` closes, for an afterEach. */
export async function engineOf(
  model: Uint8Array,
  loss: LossKind | LossSettings = 'binary-cross-entropy',
): Promise<Engine> {
  const engine = await Engine.open(model, typeof loss === 'string' ? defaultLoss(loss) : loss);
  open.push(engine);
  return engine;
}

export function requestFor(engine: Engine, table: Table, recipe: Partial<TrainingRecipe> = {}): TrainingRequest {
  return { parameters: initialParameters(engine.model), table, recipe: { ...RECIPE, ...recipe }, seed: SEED };
}

export async function closeEngines(): Promise<void> {
  for (const engine of open.splice(0)) await engine.close();
}
