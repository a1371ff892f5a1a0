// Runs a target over many inputs, counts how each ended, and makes the first input that breaks a rule as small as it gets.

import { concat, LIMITS } from '../../src/base/index.js';
import { Random } from './random.js';
import { Violation, type Target } from './target.js';

export interface Failure {
  readonly target: string;
  readonly seed: number;
  /** Number of the input; with target and seed it names the input as it was made. */
  readonly index: number;
  readonly error: unknown;
  readonly original: Uint8Array;
  readonly minimised: Uint8Array;
}

export interface Report {
  readonly target: string;
  readonly inputs: number;
  /** How often each end came, by code. */
  readonly ends: ReadonlyMap<string, number>;
  readonly failure: Failure | undefined;
}

export interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly progress?: (done: number) => void;
}

const MEMORY_MAX = 64 * 1024 * 1024;

/** Inputs 0 to `inputs`−1 of a target, until one fails. */
export async function runTarget(target: Target, { seed, inputs, progress }: RunOptions): Promise<Report> {
  const ends = new Map<string, number>();
  for (let index = 0; index < inputs; index++) {
    const input = target.generate(new Random(seed, target.name, index));
    try {
      const end = await checked(target, input);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (error) {
      const minimised = await minimise(target, input);
      const failure = { target: target.name, seed, index, error, original: input, minimised };
      return { target: target.name, inputs: index + 1, ends, failure };
    }
    if (index % 1000 === 999) progress?.(index + 1);
  }
  return { target: target.name, inputs, ends, failure: undefined };
}

/** One input under the rules that hold for every target. */
export async function checked(target: Target, input: Uint8Array): Promise<string> {
  const before = process.memoryUsage().arrayBuffers;
  const end = await target.execute(input);
  const grown = process.memoryUsage().arrayBuffers - before;
  // Buffers are freed late, so this sees at least what one input made; it is coarse on purpose.
  if (grown > (target.memoryMax ?? MEMORY_MAX) + 64 * input.length)
    throw new Violation(`${input.length} bytes of input made ${grown} bytes of buffers`);
  return end;
}

const TRIES = 400;

/** A shorter input that still fails: ever smaller pieces are left out as long as the failure stays. */
export async function minimise(target: Target, input: Uint8Array): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  const fails = async (candidate: Uint8Array): Promise<boolean> => {
    tries++;
    try {
      await checked(target, candidate);
      return false;
    } catch {
      return true;
    }
  };
  if (input.length > LIMITS.messageBytes) return best;
  for (let size = Math.max(1, best.length >> 1); size >= 1 && tries < TRIES; size >>= 1) {
    for (let at = 0; at < best.length && tries < TRIES; ) {
      const candidate = concat(best.subarray(0, at), best.subarray(Math.min(best.length, at + size)));
      if (candidate.length < best.length && (await fails(candidate))) best = candidate;
      else at += size;
    }
  }
  return best;
}
