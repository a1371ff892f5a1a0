// What a recipe does about uneven data: its message, its settings, and what they may be.

import type { TrainingRecipe } from '../wire/index.js';
import { isPositive, type Problems } from './problems.js';
import type { LocalMethod, Recipe } from './recipe-terms.js';

export function readMethod(message: TrainingRecipe['method']): LocalMethod {
  switch (message?.$case) {
    case undefined:
      return { kind: 'plain' };
    case 'fedProx':
      return { kind: 'fed-prox', mu: message.value.mu };
    case 'fedNova':
      return { kind: 'fed-nova' };
    case 'scaffold':
      return { kind: 'scaffold', controlClip: message.value.controlClip };
  }
}

export function writeMethod(method: LocalMethod): TrainingRecipe['method'] {
  switch (method.kind) {
    case 'plain':
      return undefined;
    case 'fed-prox':
      return { $case: 'fedProx', value: { mu: method.mu } };
    case 'fed-nova':
      return { $case: 'fedNova', value: {} };
    case 'scaffold':
      return { $case: 'scaffold', value: { controlClip: method.controlClip } };
  }
}

export function checkMethod({ method, optimiser }: Pick<Recipe, 'method' | 'optimiser'>, problems: Problems): void {
  if (method.kind === 'fed-prox') problems.require(isPositive(method.mu), 'fed_prox.mu', 'a finite number above 0');
  if (method.kind === 'scaffold')
    problems.require(isPositive(method.controlClip), 'scaffold.control_clip', 'a finite number above 0');
  // Both read a mean gradient from the distance travelled, which a step of Adam does not tell.
  if (method.kind === 'scaffold' || method.kind === 'fed-nova')
    problems.require(optimiser.kind === 'sgd', 'optimiser', `sgd, which the method ${method.kind} needs`);
}
