// A consortium whose job masks along a regular graph, with room for more silos than ten digits of a sum have.

import type { SiloPolicy } from '../../../src/protocol/index.js';
import { Visibility, type JobManifest } from '../../../src/wire/index.js';
import { MemoryConsortium } from './consortium.js';
import { BASE, openPolicy, powerSegment } from './founding.js';

/** Silos to a coordinate: n times the largest digit stays far below 2^31. */
const DIGITS = 5;

export const regularPolicy: SiloPolicy = { ...openPolicy, graph: 'regular' };

export interface RegularTerms {
  readonly c: number;
  readonly absent: number;
  readonly rounds?: number;
  readonly policy?: SiloPolicy;
  readonly manifest?: Partial<JobManifest>;
}

/** Silo i puts BASE^(i mod 5) into coordinate floor(i / 5), so that a wrong sum names the silo. */
export function regularConsortium(n: number, terms: RegularTerms): MemoryConsortium {
  const segment = {
    ...powerSegment(n),
    length: BigInt(Math.ceil(n / DIGITS)),
    quantiser: { $case: 'integer', value: { max: BigInt(BASE ** DIGITS) } } as const,
    visibility: Visibility.VISIBILITY_PUBLIC,
  };
  const consortium = new MemoryConsortium(n, {
    policy: terms.policy ?? regularPolicy,
    manifest: {
      maxMalicious: terms.c,
      minCohort: n,
      roundLimit: terms.rounds ?? 1,
      graph: { absent: terms.absent },
      layout: { segments: [segment] },
      ...terms.manifest,
    },
  });
  for (const silo of consortium.silos)
    silo.input = (_, length) => {
      const vector = new Int32Array(length);
      vector[Math.floor(silo.index / DIGITS)] = BASE ** (silo.index % DIGITS);
      return vector;
    };
  return consortium;
}

/** Whose input a sum holds; throws when one is in it more than once. */
export function inSum(consortium: MemoryConsortium, round: number): number[] {
  const sum = consortium.openedSums.get(round)!;
  return consortium.silos
    .map(({ index }) => index)
    .filter((i) => {
      const digit = Math.floor(sum[Math.floor(i / DIGITS)]! / BASE ** (i % DIGITS)) % BASE;
      if (digit > 1) throw new Error(`silo ${i} is in the sum ${digit} times`);
      return digit === 1;
    });
}
