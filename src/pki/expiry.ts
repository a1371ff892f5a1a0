// How much of a certificate's life is left, in the words in which logs, metrics and doctor speak of it.

import type { UnixMs } from '../base/index.js';
import { unixMs } from '../base/index.js';
import { BACKDATE_MS } from './authority.js';
import { inspectCertificate } from './inspect.js';

/** `due`: two thirds are over and it should be renewed; `expiring`: less than a fifth is left; `urgent`: less than a tenth. */
export type ExpiryState = 'fresh' | 'due' | 'expiring' | 'urgent' | 'expired';

export interface Expiry {
  readonly state: ExpiryState;
  readonly notAfter: UnixMs;
  /** When two thirds of its life are over. */
  readonly renewAt: UnixMs;
  readonly leftMs: number;
  readonly lifeMs: number;
}

export function expiryOf(leafPem: string, now: UnixMs): Expiry {
  const { notBefore, notAfter } = inspectCertificate(leafPem);
  const whole = notAfter - notBefore;
  // Certificates of this authority begin a little in the past, which is no part of their life.
  const lifeMs = whole > BACKDATE_MS ? whole - BACKDATE_MS : whole;
  const leftMs = notAfter - now;
  return {
    state: stateOf(leftMs, lifeMs),
    notAfter,
    renewAt: unixMs(Math.ceil(notAfter - lifeMs / 3)),
    leftMs,
    lifeMs,
  };
}

function stateOf(leftMs: number, lifeMs: number): ExpiryState {
  if (leftMs < 0) return 'expired';
  if (leftMs < lifeMs / 10) return 'urgent';
  if (leftMs < lifeMs / 5) return 'expiring';
  return leftMs <= lifeMs / 3 ? 'due' : 'fresh';
}
