// What is fuzzed: a way to make inputs and a way to feed one, both as bytes, so that every target is run, counted and minimised alike.

import { isCodedError } from '../../src/base/index.js';
import type { Random } from './random.js';

export const ACCEPTED = 'accepted';

export interface Target {
  readonly name: string;
  generate(random: Random): Uint8Array;
  /** `accepted` or the code of a refusal. Throws on anything that must never happen. */
  execute(input: Uint8Array): string | Promise<string>;
  /** Bytes that one input may make the program hold beyond what it has; checked coarsely after each input. */
  readonly memoryMax?: number;
  /** After the last input. */
  close?(): Promise<void> | void;
}

/** Something that must never happen did. */
export class Violation extends Error {}

export function never(happened: boolean, what: string): void {
  if (happened) throw new Violation(what);
}

/** Characters of a refusal's message: it quotes what came, so an unbounded quote would be an amplifier. */
export const MESSAGE_MAX = 24_000;
// Everything that moves a terminal's cursor or turns the direction of writing; lines may break.
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

/** A refusal as people will read it: short enough, and nothing in it but text. */
export function checkWords(code: string, message: string): string {
  never(!/^[a-z0-9]+(?:\/[a-z0-9-]+)+$/.test(code), `"${code}" is not a code`);
  never(message.length > MESSAGE_MAX, `${code} has a message of ${message.length} characters`);
  never(
    UNPRINTABLE.test(message),
    `${code} has control characters in its message: ${JSON.stringify(message.slice(0, 300))}`,
  );
  return code;
}

/** The code of a refusal; anything that is not one is thrown on. */
export function codeOf(error: unknown): string {
  if (!isCodedError(error) || error.category === 'internal') throw error;
  return checkWords(error.code, error.message);
}

export function attempted(work: () => unknown): string {
  try {
    work();
    return ACCEPTED;
  } catch (error) {
    return codeOf(error);
  }
}

export async function attemptedLater(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return ACCEPTED;
  } catch (error) {
    return codeOf(error);
  }
}
