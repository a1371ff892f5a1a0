// Errors have stable codes. Each room owns a closed registry of them (its `errors.ts`); docs/errors.md lists all, and a test keeps
// the two equal. A message says what was expected, what came, and what to do; it never carries secrets, records or model values.

export interface ErrorContext {
  /** What the reader can do about it, in one sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An error a person can act on. `Code` is a room's closed union of codes, spelled `room/what-happened`. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly remedy: string | undefined;

  constructor(code: Code, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? {} : { cause: context.cause });
    this.name = 'CodedError';
    this.code = code;
    this.remedy = context.remedy;
  }

  /** `code: message (remedy)`, the form in which programs print it. */
  describe(): string {
    return `${this.code}: ${this.message}${this.remedy === undefined ? '' : ` What to do: ${this.remedy}`}`;
  }
}

/** A registry of codes with one line each on what they mean; `defineErrors` only fixes the type. */
export function defineErrors<const T extends Readonly<Record<string, string>>>(codes: T): T {
  return codes;
}
