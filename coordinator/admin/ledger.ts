// What silos have charged to their data sets, read from the Acks that they signed. `veilsum-audit ledger --log` compares it with the log, and
// `verify` checks both offline: nobody needs to believe this.

import { LIMITS, type SiloId } from '../../src/base/index.js';
import { epsilonOfUses, type Use } from '../../src/privacy/index.js';
import { mechanismOf, unitOf, type ClosedRound, type CoordinatorJob } from '../../src/protocol/index.js';
import { Ack, decode, type ChargeStatement, type LedgerLine } from '../../src/wire/index.js';

/** Where a job names no delta. */
export const DEFAULT_DELTA = 1e-6;

/** Acks are decoded once: a round that is closed only gets more of them. */
const decoded = new WeakMap<object, ChargeStatement | 'none'>();

function chargeIn(round: ClosedRound, silo: SiloId): ChargeStatement | undefined {
  const ack = round.acks.get(silo);
  if (ack === undefined) return undefined;
  const known = decoded.get(ack);
  const charge = known ?? decode(Ack, 'ack', ack.payload, LIMITS.envelopePayloadBytes).charge ?? 'none';
  decoded.set(ack, charge);
  return charge === 'none' ? undefined : charge;
}

/** Undefined where the silo has charged nothing. */
export function ledgerLine({ manifest, closed }: CoordinatorJob, silo: SiloId): LedgerLine | undefined {
  let newest: { readonly round: number; readonly charge: ChargeStatement } | undefined;
  let rounds = 0;
  const uses: Use[] = [];
  for (const one of closed) {
    const charge = chargeIn(one, silo);
    if (charge === undefined) continue;
    rounds++;
    newest = { round: one.plan.round, charge };
    const mechanism = mechanismOf(manifest, one.plan.round);
    if (mechanism !== undefined) uses.push({ mechanism, times: 1 });
  }
  if (newest === undefined) return undefined;
  const delta = manifest.message.privacy?.delta ?? DEFAULT_DELTA;
  const [first] = uses;
  // All noisy rounds of a job carry the same noise.
  const together = first === undefined ? [] : [{ ...first, times: uses.length }];
  return {
    siloId: silo,
    jobId: manifest.jobId,
    rounds,
    roundsWithNoise: uses.length,
    roundsOfDataSet: newest.charge.rounds,
    dataSet: newest.charge.dataSet,
    lastRound: newest.round,
    epsilon: epsilonOfUses(together, delta).epsilon,
    delta,
    unit: uses.length === 0 ? '' : (unitOf(manifest) ?? ''),
  };
}
