// What the demo shows: one line that lives on a terminal, plain lines everywhere else.

const PHASES = [
  '',
  'keys',
  'shares',
  'masked inputs',
  'confirm',
  'unmask',
  'publish',
  'done',
  'abandoned',
  'again',
] as const;

export class Screen {
  #live = '';
  readonly #tty = process.stdout.isTTY;

  say(text: string): void {
    this.#clear();
    console.log(text);
  }

  /** Replaces the live line; nothing where there is no terminal. */
  live(text: string): void {
    if (!this.#tty) return;
    this.#clear();
    process.stdout.write(text);
    this.#live = text;
  }

  #clear(): void {
    if (this.#live !== '') process.stdout.write(`\r${' '.repeat(this.#live.length)}\r`);
    this.#live = '';
  }
}

export function phaseName(phase: number): string {
  return PHASES[phase] ?? '';
}

export function number(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? '–'.padStart(digits + 2) : value.toFixed(digits);
}
