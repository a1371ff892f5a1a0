// Secrets are lent, not handed out. What JavaScript cannot promise: copies that the engine or OpenSSL made while a secret was lent,
// and strings or bigints derived from it, are freed but not erased (docs/threat-model.md).

declare const secretName: unique symbol;

/** Bytes with a name for the compiler. Prints no bytes, refuses to become JSON, is wiped by `using` or `wipe()`. */
export class SecretBytes<Name extends string = string> {
  declare readonly [secretName]: Name;
  readonly #bytes: Uint8Array;
  #wiped = false;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes a copy; the caller wipes what it holds. */
  static of<Name extends string>(bytes: Uint8Array): SecretBytes<Name> {
    return new SecretBytes<Name>(Uint8Array.from(bytes));
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Lends the bytes to `borrower`, which must not keep them. Throws when they have been wiped. */
  lend<T>(borrower: (bytes: Uint8Array) => T): T {
    if (this.#wiped) throw new Error('a secret was used after it had been wiped');
    return borrower(this.#bytes);
  }

  /** A copy to be opened to others (a share that is released, a secret that is published) or sealed for storage. */
  reveal(): Uint8Array<ArrayBuffer> {
    return this.lend((bytes) => Uint8Array.from(bytes));
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#wiped = true;
  }

  [Symbol.dispose](): void {
    this.wipe();
  }

  toJSON(): never {
    throw new Error('a secret cannot become JSON');
  }

  toString(): string {
    return '[secret]';
  }
}
