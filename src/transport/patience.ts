// How long two ends wait for a sign of each other, as the configuration sets it: firewalls that forget quiet connections want it short,
// machines with far too much to do want it long.

import { CLIENT_LIMITS, SERVER_LIMITS, type ClientLimits, type ServerLimits } from './limits.js';

export interface Patience {
  /** Between two keepalives. */
  readonly keepaliveSeconds: number;
  /** For an answer to one, and for any word of a stream that is watched. At least two heartbeats. */
  readonly patienceSeconds: number;
}

/** Below this a healthy stream could count as dead: one heartbeat may be late. */
export const PATIENCE_LEAST_SECONDS = (2 * SERVER_LIMITS.heartbeatMs) / 1000;

/** What a client waits for grows with its patience, and is never below what is usual. */
export function patientClient({ keepaliveSeconds, patienceSeconds }: Patience): Partial<ClientLimits> {
  const patienceMs = patienceSeconds * 1000;
  const factor = Math.max(1, patienceMs / CLIENT_LIMITS.silenceMs);
  return {
    keepaliveMs: keepaliveSeconds * 1000,
    keepaliveTimeoutMs: patienceMs,
    silenceMs: patienceMs,
    unaryMs: factor * CLIENT_LIMITS.unaryMs,
    stallMs: factor * CLIENT_LIMITS.stallMs,
  };
}

/** As patientClient. */
export function patientServer({ keepaliveSeconds, patienceSeconds }: Patience): Partial<ServerLimits> {
  const patienceMs = patienceSeconds * 1000;
  const factor = Math.max(1, patienceMs / SERVER_LIMITS.keepaliveTimeoutMs);
  return {
    keepaliveMs: keepaliveSeconds * 1000,
    keepaliveTimeoutMs: patienceMs,
    handshakeMs: factor * SERVER_LIMITS.handshakeMs,
    stallMs: factor * SERVER_LIMITS.stallMs,
    callMs: { ...SERVER_LIMITS.callMs, unary: factor * SERVER_LIMITS.callMs.unary },
  };
}
