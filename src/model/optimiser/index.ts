// The optimisers a job file may name.

import { ModelError } from '../errors.js';
import { adam, type AdamSettings } from './adam.js';
import type { Optimiser } from './optimiser.js';
import { sgd, type SgdSettings } from './sgd.js';

export type { AdamSettings, Optimiser, SgdSettings };

export type OptimiserSettings = SgdSettings | AdamSettings;

/** An optimiser with fresh state for `length` parameters. Throws `model/bad-optimiser`. */
export function createOptimiser(settings: OptimiserSettings, length: number): Optimiser {
  switch (settings.kind) {
    case 'sgd':
      assertFraction('momentum', settings.momentum);
      return sgd(length, settings.momentum);
    case 'adam':
      assertFraction('beta1', settings.beta1);
      assertFraction('beta2', settings.beta2);
      if (!(settings.epsilon > 0 && settings.epsilon <= 1))
        throw new ModelError('model/bad-optimiser', `epsilon ${String(settings.epsilon)} is not above 0 and at most 1`);
      return adam(length, settings);
  }
}

function assertFraction(name: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new ModelError('model/bad-optimiser', `${name} ${String(value)} is not from 0 to below 1`);
}
