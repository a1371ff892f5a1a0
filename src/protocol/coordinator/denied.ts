// A silo that an operator keeps out is not heard: neither its messages nor its calls.

import type { SiloId } from '../../base/index.js';
import { demand } from '../rejection.js';
import type { CoordinatorState } from './state.js';

/** Throws Refusal `message/denied`. */
export function demandNotDenied({ denied }: CoordinatorState, silo: SiloId): void {
  const since = denied.get(silo);
  demand(
    since === undefined,
    'message/denied',
    `${silo} is kept out by ${since?.order.signer ?? ''}: ${since?.order.reason ?? ''}`,
    'membership',
  );
}
