// Pictures as inline SVG, drawn from numbers: lines, stacked bars, a grid of cells. No script, no font but the page's own.

/** Text of others in a page. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 56;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 32;
/** Labels that fit below an axis. */
const LABELS_MAX = 20;

/** Told apart in print by lightness and dash as well as by colour. */
const COLOURS = ['#0b5cad', '#c2410c', '#15803d', '#7e22ce', '#a16207', '#475569', '#be185d'];

export interface Series {
  readonly name: string;
  /** By position; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface Picture {
  readonly title: string;
  /** Below the axis, one for each position. */
  readonly labels: readonly string[];
  readonly axis: string;
}

const x = (at: number, count: number): number => LEFT + ((at + 0.5) * (WIDTH - LEFT - RIGHT)) / Math.max(1, count);
const number = (value: number): string => String(Math.round(value * 100) / 100);

/** Of a range, at most five round steps from 0 or from the least value. */
function ticks(least: number, most: number): number[] {
  const span = most - least || Math.abs(most) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => span / one <= 5) ?? span;
  const first = Math.ceil(least / step - 1e-9);
  const all: number[] = [];
  for (let k = first; k * step <= most + step * 1e-9; k++) all.push(k * step);
  return all;
}

function frame({ title, labels, axis }: Picture, y: (value: number) => number, at: readonly number[]): string {
  const every = Math.ceil(labels.length / LABELS_MAX);
  const lines = at.map(
    (value) =>
      `<line class="grid" x1="${String(LEFT)}" x2="${String(WIDTH - RIGHT)}" y1="${number(y(value))}" y2="${number(y(value))}"/>` +
      `<text x="${String(LEFT - 6)}" y="${number(y(value) + 4)}" text-anchor="end">${escaped(shown(value))}</text>`,
  );
  const names = labels.map((label, i) =>
    i % every === 0
      ? `<text x="${number(x(i, labels.length))}" y="${String(HEIGHT - BOTTOM + 15)}" text-anchor="middle">${escaped(label)}</text>`
      : '',
  );
  const below = `<text x="${String((LEFT + WIDTH - RIGHT) / 2)}" y="${String(HEIGHT - 3)}" text-anchor="middle">${escaped(axis)}</text>`;
  return `<title>${escaped(title)}</title>${lines.join('')}${names.join('')}${below}`;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function svg(inner: string, height = HEIGHT): string {
  return `<svg viewBox="0 0 ${String(WIDTH)} ${String(height)}" role="img">${inner}</svg>`;
}

function legend(names: readonly string[]): string {
  const items = names.map(
    (name, i) => `<span><i style="background:${COLOURS[i % COLOURS.length] ?? ''}"></i>${escaped(name)}</span>`,
  );
  return `<p class="legend">${items.join(' ')}</p>`;
}

/** A line for each series over the same positions. */
export function lines(picture: Picture, series: readonly Series[]): string {
  const all = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = (most - least || Math.abs(most) || 1) * 0.05;
  const y = (value: number): number =>
    TOP + ((most + room - value) * (HEIGHT - TOP - BOTTOM)) / (most - least + 2 * room);
  const count = picture.labels.length;
  const drawn = series.map(({ values }, s) => {
    const colour = COLOURS[s % COLOURS.length] ?? '';
    const points = values.flatMap((value, i) => (value === null ? [] : [`${number(x(i, count))},${number(y(value))}`]));
    const dash = s % 2 === 1 ? ' stroke-dasharray="6 4"' : '';
    const dots = points.map((point) => {
      const [cx = '', cy = ''] = point.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colour}"/>`;
    });
    return `<polyline fill="none" stroke="${colour}" stroke-width="2"${dash} points="${points.join(' ')}"/>${count <= 60 ? dots.join('') : ''}`;
  });
  // Of the whole height: a flat line has a scale, too.
  const scale = ticks(least - room, most + room);
  return svg(frame(picture, y, scale) + drawn.join('')) + legend(series.map(({ name }) => name));
}

/** A bar for each position, made of one part for each series; `line`: a value to compare each bar with. */
export function bars(picture: Picture, series: readonly Series[], line?: Series): string {
  const count = picture.labels.length;
  const sums = picture.labels.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));
  const most = Math.max(1e-9, ...sums, ...(line?.values.map((value) => value ?? 0) ?? []));
  const y = (value: number): number => TOP + ((most - value) * (HEIGHT - TOP - BOTTOM)) / most;
  const wide = Math.max(1, Math.min(40, ((WIDTH - LEFT - RIGHT) / Math.max(1, count)) * 0.75));
  const drawn = picture.labels.map((_, i) => {
    let below = 0;
    return series
      .map(({ values }, s) => {
        const value = values[i] ?? 0;
        const top = y(below + value);
        const height = y(below) - top;
        below += value;
        const colour = COLOURS[s % COLOURS.length] ?? '';
        return `<rect x="${number(x(i, count) - wide / 2)}" y="${number(top)}" width="${number(wide)}" height="${number(height)}" fill="${colour}"/>`;
      })
      .join('');
  });
  const compared = (line?.values ?? []).map((value, i) =>
    value === null
      ? ''
      : `<line class="mark" x1="${number(x(i, count) - wide / 2 - 2)}" x2="${number(x(i, count) + wide / 2 + 2)}" y1="${number(y(value))}" y2="${number(y(value))}"/>`,
  );
  const names = series.map(({ name }) => name);
  const note = line === undefined ? '' : `<p class="legend"><span><b>–</b> ${escaped(line.name)}</span></p>`;
  return svg(frame(picture, y, ticks(0, most)) + drawn.join('') + compared.join('')) + legend(names) + note;
}

export interface Cell {
  readonly letter: string;
  /** 0 (nothing) to 4 (all). */
  readonly shade: number;
}

const SHADES = ['#ffffff', '#dbe7f3', '#a9c8e6', '#5b95cc', '#0b5cad', '#c2410c'];
const ROW = 16;
const NAMES = 150;

/** A row for each name, a column for each label. */
export function grid(picture: Picture, names: readonly string[], cell: (row: number, column: number) => Cell): string {
  const columns = picture.labels.length;
  const wide = Math.min(28, (WIDTH - NAMES - RIGHT) / Math.max(1, columns));
  const height = TOP + ROW * names.length + 30;
  const every = Math.ceil(columns / LABELS_MAX);
  const rows = names.map((name, row) => {
    const cells = picture.labels.map((_, column) => {
      const { letter, shade } = cell(row, column);
      const [left, top] = [NAMES + column * wide, TOP + row * ROW];
      const text =
        wide < 9
          ? ''
          : `<text class="${shade >= 3 ? 'light' : ''}" x="${number(left + wide / 2)}" y="${number(top + 12)}" text-anchor="middle">${letter}</text>`;
      return `<rect class="cell" x="${number(left)}" y="${number(top)}" width="${number(wide)}" height="${String(ROW)}" fill="${SHADES[shade] ?? ''}"/>${text}`;
    });
    return `<text x="${String(NAMES - 6)}" y="${String(TOP + row * ROW + 12)}" text-anchor="end">${escaped(name.slice(0, 24))}</text>${cells.join('')}`;
  });
  const labels = picture.labels.map((label, column) =>
    column % every === 0
      ? `<text x="${number(NAMES + (column + 0.5) * wide)}" y="${String(height - 16)}" text-anchor="middle">${escaped(label)}</text>`
      : '',
  );
  const below = `<text x="${String(NAMES)}" y="${String(height - 2)}">${escaped(picture.axis)}</text>`;
  return svg(`<title>${escaped(picture.title)}</title>${rows.join('')}${labels.join('')}${below}`, height);
}
