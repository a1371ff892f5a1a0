// The optimisers a job file may name, and what bends their steps.

import { ModelError } from '../errors.js';
import { adam, type AdamSettings } from './adam.js';
import { adamW, type AdamWSettings } from './adamw.js';
import type { Optimiser } from './optimiser.js';
import { sgd, type SgdSettings } from './sgd.js';

export type { AdamSettings, AdamWSettings, Optimiser, SgdSettings };

export type OptimiserSettings = SgdSettings | AdamSettings | AdamWSettings;

/** An optimiser with fresh state for `length` parameters. Throws `model/bad-optimiser`. */
export function createOptimiser(settings: OptimiserSettings, length: number): Optimiser {
  const decay = settings.weightDecay ?? 0;
  if (!(decay >= 0 && decay < Infinity)) refuse(`weightDecay ${String(decay)} is not a finite number from 0`);
  switch (settings.kind) {
    case 'sgd':
      assertFraction('momentum', settings.momentum);
      if (settings.nesterov === true && settings.momentum === 0) refuse('nesterov needs a momentum above 0');
      return sgd(length, settings);
    case 'adam':
      assertAdaptive(settings);
      return adam(length, settings);
    case 'adamw':
      assertAdaptive(settings);
      return adamW(length, settings);
  }
}

function assertAdaptive({ beta1, beta2, epsilon }: AdamSettings | AdamWSettings): void {
  assertFraction('beta1', beta1);
  assertFraction('beta2', beta2);
  if (!(epsilon > 0 && epsilon <= 1)) refuse(`epsilon ${String(epsilon)} is not above 0 and at most 1`);
}

function assertFraction(name: string, value: number): void {
  if (!(value >= 0 && value < 1)) refuse(`${name} ${String(value)} is not from 0 to below 1`);
}

function refuse(message: string): never {
  throw new ModelError('model/bad-optimiser', message);
}
