// A line chart as SVG: one line a method over the rounds, and a dashed line for what all records in one place reach. Colours differ in
// lightness too, so that it reads in grey.

import type { Curve } from './outcome.js';

const WIDTH = 720;
const HEIGHT = 360;
const MARGIN = { left: 64, right: 150, top: 40, bottom: 48 };
const COLOURS = ['#0b4f8a', '#d1741f', '#3f9b5f', '#8a3b8f', '#8a8a8a'];

export interface Chart {
  readonly title: string;
  readonly axis: string;
  /** Rounds between two values of a curve. */
  readonly every: number;
  readonly curves: readonly Curve[];
  readonly reference?: { readonly name: string; readonly value: number };
  /** What the curves run over; `round` unless given. */
  readonly across?: string;
}

export function drawChart({ title, axis, every, curves, reference, across = 'round' }: Chart): string {
  const rounds = Math.max(...curves.map(({ values }) => values.length));
  const all = [...curves.flatMap(({ values }) => values), ...(reference === undefined ? [] : [reference.value])];
  const low = Math.floor(Math.min(...all) * 20) / 20;
  const high = Math.ceil(Math.max(...all) * 20) / 20;
  const x = (round: number): number =>
    MARGIN.left + ((round - 1) / Math.max(1, rounds - 1)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number =>
    HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const right = WIDTH - MARGIN.right;
  const step = high - low > 0.4 ? 0.1 : 0.05;
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
  const ends = curves.map(({ values }) => y(values.at(-1) ?? low));
  const labels = spread(reference === undefined ? ends : [...ends, y(reference.value)]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${String(WIDTH)}" height="${String(HEIGHT)}" fill="#ffffff"/>`,
    text(MARGIN.left, 22, title, 'font-size="14" font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      line(
        [
          [MARGIN.left, y(tick)],
          [right, y(tick)],
        ],
        'stroke="#dddddd"',
      ),
      text(MARGIN.left - 8, y(tick) + 4, tick.toFixed(2), 'text-anchor="end"'),
    ]),
    ...Array.from({ length: rounds }, (_, i) =>
      text(x(i + 1), HEIGHT - MARGIN.bottom + 18, String((i + 1) * every), 'text-anchor="middle"'),
    ),
    text((MARGIN.left + right) / 2, HEIGHT - 10, across, 'text-anchor="middle"'),
    text(16, HEIGHT / 2, axis, `text-anchor="middle" transform="rotate(-90 16 ${String(HEIGHT / 2)})"`),
    ...(reference === undefined
      ? []
      : [
          line(
            [
              [MARGIN.left, y(reference.value)],
              [right, y(reference.value)],
            ],
            'stroke="#222222" stroke-dasharray="6 4"',
          ),
          text(right + 8, (labels.at(-1) ?? 0) + 4, reference.name, 'fill="#222222"'),
        ]),
    ...curves.flatMap(({ method, values }, i) => {
      const colour = COLOURS[i % COLOURS.length] ?? '#000000';
      return [
        line(
          values.map((value, r) => [x(r + 1), y(value)]),
          `stroke="${colour}" stroke-width="2"`,
        ),
        text(right + 8, (labels[i] ?? 0) + 4, method, `fill="${colour}"`),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

/** Moves labels apart that would lie on each other. */
function spread(places: readonly number[]): number[] {
  const order = [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const out = [...places];
  let last = -Infinity;
  for (const i of order) {
    out[i] = Math.max(places[i] ?? 0, last + 15);
    last = out[i];
  }
  return out;
}

function line(points: readonly (readonly [number, number])[], style: string): string {
  return `<polyline fill="none" ${style} points="${points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')}"/>`;
}

function text(px: number, py: number, content: string, style: string): string {
  return `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" ${style}>${escapeText(content)}</text>`;
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
