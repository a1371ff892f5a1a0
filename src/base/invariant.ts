// Broken invariants are our bugs. They are thrown, never answered to a peer, and end the process.

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws InvariantError when `condition` is false. Use it for what only a bug can break, never for a peer's input. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}

/** Closes an exhaustive switch: compiles only when every kind has been handled. */
export function unreachable(value: never): never {
  throw new InvariantError(`unhandled case: ${JSON.stringify(value)}`);
}

/** The value, or InvariantError when it is undefined. */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`${what} is undefined`);
  return value;
}
