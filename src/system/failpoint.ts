// Named places where a test may end the process as a power cut would: SIGKILL, no handlers, no flushing. Inert in every other run.
// They stand before and after every durable write and every send, so that what lies between two of them can be tried.

import { appendFileSync } from 'node:fs';

const VARIABLE = 'VEILSUM_FAILPOINT';
/** Names a file to which every place that is passed is appended, one a line: how a test learns which places there are. */
const TRACE_VARIABLE = 'VEILSUM_FAILPOINT_TRACE';

/** Remaining hits by name. `a.b` dies on the first, `a.b@3` on the third; several are separated by commas. */
const armed = parse(process.env[VARIABLE]);
/** Milliseconds after which what was handed to the transport is in the kernel's hands. */
const SOON_MS = 5;
const trace = process.env[TRACE_VARIABLE] ?? '';

/**
 * Dies here when VEILSUM_FAILPOINT names this place, by `name` or by `name.detail`. Names read `room.before-what` or `room.after-what`;
 * the detail says what is written or sent.
 */
export function failpoint(name: string, detail?: string): void {
  if (armed.size === 0 && trace === '') return;
  const full = detail === undefined ? name : `${name}.${detail}`;
  if (trace !== '') appendFileSync(trace, `${full}\n`);
  if (detail !== undefined) hit(name);
  hit(full);
}

/** As `failpoint`, a moment later: after an answer that the transport writes in the turns that follow. */
export function failpointSoon(name: string, detail: string): void {
  if (armed.size === 0 && trace === '') return;
  setTimeout(failpoint, SOON_MS, name, detail);
}

function hit(name: string): void {
  const left = armed.get(name);
  if (left === undefined) return;
  armed.set(name, left - 1);
  if (left > 1) return;
  process.kill(process.pid, 'SIGKILL');
}

function parse(text: string | undefined): Map<string, number> {
  const found = new Map<string, number>();
  for (const item of (text ?? '').split(',')) {
    const match = /^([^@\s]+)(?:@([1-9][0-9]{0,8}))?$/.exec(item.trim());
    if (match?.[1] !== undefined) found.set(match[1], Number(match[2] ?? '1'));
    // A test that misspells its failpoint must not pass because nothing happened.
    else if (item.trim() !== '') throw new Error(`${VARIABLE} is not a list of name or name@N: ${item}`);
  }
  return found;
}
