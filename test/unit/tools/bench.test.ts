// How the bench fits and draws.

import { expect, it } from 'vitest';
import { chart, exponent } from '../../../tools/bench/growth.js';

it('finds the exponent of a power law, and none in a single point', () => {
  const points = [1, 10, 100, 1000].map((x) => ({ x, y: 3 * x ** 1.5 }));
  expect(exponent(points)).toBeCloseTo(1.5, 9);
  expect(exponent([{ x: 1, y: 1 }])).toBeNaN();
});

it('draws every point of every series within its frame', () => {
  const picture = chart('t', 'x', 'y', [
    {
      name: 'one',
      points: [
        { x: 5, y: 0.3 },
        { x: 200, y: 4000 },
      ],
    },
  ]);
  const circles = [...picture.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(circles).toHaveLength(2);
  for (const [x, y] of circles) {
    expect(x).toBeGreaterThan(0);
    expect(x).toBeLessThan(640);
    expect(y).toBeGreaterThan(0);
    expect(y).toBeLessThan(400);
  }
});
