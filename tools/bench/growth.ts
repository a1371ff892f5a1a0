// How a cost grows: the exponent of a power law by least squares on logarithms, and its picture.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** e in y = a · x^e; NaN for fewer than two points. */
export function exponent(points: readonly Point[]): number {
  if (points.length < 2) return NaN;
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)] as const);
  const mean = (k: 0 | 1): number => logs.reduce((sum, one) => sum + one[k], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const top = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const bottom = logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return top / bottom;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

const WIDTH = 640;
const HEIGHT = 400;
const LEFT = 70;
const BOTTOM = 50;
const TOP = 40;
const RIGHT = 170;
const COLOURS = ['#1b6ca8', '#c0392b', '#27864a', '#8e5ea2', '#b7791f'];

/** Both axes logarithmic. Self-contained: no script, no font, no reference. */
export function chart(title: string, xName: string, yName: string, series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points);
  const decades = (pick: (point: Point) => number): readonly [number, number] => [
    Math.floor(Math.log10(Math.min(...all.map(pick)))),
    Math.ceil(Math.log10(Math.max(...all.map(pick)) * 1.0001)),
  ];
  const [x0, x1] = decades(({ x }) => x);
  const [y0, y1] = decades(({ y }) => y);
  const px = (x: number): number => LEFT + ((Math.log10(x) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const py = (y: number): number => HEIGHT - BOTTOM - ((Math.log10(y) - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const text = (x: number, y: number, what: string, more = ''): string =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${what}</text>`;
  const grid: string[] = [];
  for (let e = x0; e <= x1; e++)
    grid.push(
      `<path d="M${px(10 ** e).toFixed(1)} ${String(TOP)}V${String(HEIGHT - BOTTOM)}" stroke="#ddd"/>`,
      text(px(10 ** e), HEIGHT - BOTTOM + 18, power(e), 'text-anchor="middle"'),
    );
  for (let e = y0; e <= y1; e++)
    grid.push(
      `<path d="M${String(LEFT)} ${py(10 ** e).toFixed(1)}H${String(WIDTH - RIGHT)}" stroke="#ddd"/>`,
      text(LEFT - 8, py(10 ** e) + 4, power(e), 'text-anchor="end"'),
    );
  const lines = series.flatMap(({ name, points }, k) => {
    const colour = COLOURS[k % COLOURS.length] ?? '#000';
    const path = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('');
    return [
      `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map(({ x, y }) => `<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="3" fill="${colour}"/>`),
      text(WIDTH - RIGHT + 12, TOP + 14 + 20 * k, name, `fill="${colour}"`),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${String(WIDTH)}" height="${String(HEIGHT)}" fill="#fff"/>`,
    text(LEFT, 22, title, 'font-size="14" font-weight="bold"'),
    ...grid,
    ...lines,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, xName, 'text-anchor="middle"'),
    text(16, HEIGHT / 2, yName, `text-anchor="middle" transform="rotate(-90 16 ${String(HEIGHT / 2)})"`),
    '</svg>',
    '',
  ].join('\n');
}

function power(e: number): string {
  return e >= 0 && e < 4 ? String(10 ** e) : e < 0 && e > -4 ? (10 ** e).toFixed(-e) : `1e${String(e)}`;
}
