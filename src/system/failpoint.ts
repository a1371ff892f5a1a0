// Named places where a test may end the process as a power cut would: SIGKILL, no handlers, no flushing. Inert in every other run.

const VARIABLE = 'VEILSUM_FAILPOINT';

/** Remaining hits by name. `a.b` dies on the first, `a.b@3` on the third; several are separated by commas. */
const armed = parse(process.env[VARIABLE]);

/** Dies here when VEILSUM_FAILPOINT names this place. Names read `room.before-what` or `room.after-what.DETAIL`. */
export function failpoint(name: string): void {
  if (armed.size === 0) return;
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
