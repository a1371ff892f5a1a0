// Which names a pattern takes.

import { describe, expect, it } from 'vitest';
import { matches } from '../../../src/model/pattern.js';

describe('a pattern', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['head.weight', 'head.weight', true],
    ['head.weight', 'head.weights', false],
    ['head.*', 'head.weight', true],
    ['head.*', 'ahead.weight', false],
    ['*.lora_*', 'layer.0.lora_a', true],
    ['*.lora_*.weight', 'layer.0.lora_a.bias', false],
    ['*', '', true],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
    ['a*b*b', 'axbxb', true],
    ['.*', 'anything', false],
  ];
  for (const [pattern, name, expected] of cases)
    it(`${pattern} ${expected ? 'takes' : 'leaves'} "${name}"`, () => {
      expect(matches(pattern, name)).toBe(expected);
    });
});
