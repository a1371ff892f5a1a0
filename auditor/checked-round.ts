// A finished round as its signed messages tell it: the manifest by its operator, plan and result by the coordinator, and the silos that
// have verified the result in full. Nothing is believed that is not signed under a key of the pinned roster.

import { equalBytes, isCodedError, LIMITS, type Hash } from '../src/base/index.js';
import { hash, LABELS } from '../src/crypto/index.js';
import { openEnvelope, openManifest, openPlan, type Manifest, type Plan, type Roster } from '../src/protocol/index.js';
import type { AdminClient } from '../src/transport/index.js';
import { Ack, Coverage, RoundResult, type Envelope, type GetRoundResponse, type Outcome } from '../src/wire/index.js';
import { AuditError } from './errors.js';

/** A result at 200 silos has some 100 KiB. */
const RESULT_BYTES = 256 * 1024;

export interface CheckedRound {
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly result: RoundResult;
  /** H("result", payload). */
  readonly resultHash: Hash;
  /** |U3|. */
  readonly survivors: number;
}

/** The job's manifest, signed by an operator of the roster and for this job. */
export async function fetchManifest(client: AdminClient, roster: Roster, jobId: string): Promise<Manifest> {
  const { manifest: envelope } = await client.getJob({ jobId });
  const manifest = openManifest(roster, envelope);
  if (manifest.jobId !== jobId) throw badAnswer(`asked for job "${jobId}", got the manifest of "${manifest.jobId}".`);
  return manifest;
}

/** Throws AuditError `audit/no-result`, `audit/unconfirmed`, `audit/bad-answer`, Refusal `envelope/…`, `plan/…`. */
export async function fetchCheckedRound(
  client: AdminClient,
  roster: Roster,
  manifest: Manifest,
  round: number,
): Promise<CheckedRound> {
  const name = `round ${String(round)} of job "${manifest.jobId}"`;
  const answer = await roundOf(client, manifest.jobId, round);
  if (answer === undefined) throw new AuditError('audit/no-result', `${name} has no result: it has not begun.`);
  if (answer.result === undefined)
    throw new AuditError(
      'audit/no-result',
      `${name} has no result: it ${answer.abandon === undefined ? 'is still open' : 'was abandoned'}.`,
    );
  const plan = openPlan(roster, answer.plan);
  const inJob = new Set<string>(manifest.silos);
  if (!equalBytes(plan.manifestHash, manifest.hash) || plan.round !== round)
    throw badAnswer(`asked for ${name}, got the plan of another round or manifest.`);
  if (!plan.cohort.every((silo) => inJob.has(silo)))
    throw badAnswer(`the cohort of ${name} names silos outside the job.`);
  const { message: result, payload } = openEnvelope(
    roster,
    answer.result,
    { type: 'result', signer: 'coordinator' },
    RoundResult,
    RESULT_BYTES,
  );
  if (!equalBytes(result.rid, plan.rid)) throw badAnswer(`the result that came for ${name} belongs to another round.`);
  const resultHash = hash(LABELS.result, payload);
  const verified = verifiedBy(roster, plan, answer.acknowledgements, resultHash, result);
  if (verified < plan.t)
    throw new AuditError(
      'audit/unconfirmed',
      `${String(verified)} of ${String(plan.n)} silos have verified the result of ${name} in full, ${String(plan.t)} are needed.`,
    );
  return { manifest, plan, result, resultHash, survivors: result.selfSecrets.length };
}

/** Undefined when the round has not begun. */
async function roundOf(client: AdminClient, jobId: string, round: number): Promise<GetRoundResponse | undefined> {
  try {
    return await client.getRound({ jobId, round });
  } catch (cause) {
    if (isCodedError(cause) && cause.code === 'admin/no-round') return undefined;
    throw cause;
  }
}

/** Distinct members of the cohort that acknowledge this result, outcome and model after verifying all of it. */
function verifiedBy(
  roster: Roster,
  plan: Plan,
  acknowledgements: readonly Envelope[],
  resultHash: Hash,
  { outcome, newModelHash }: { readonly outcome: Outcome; readonly newModelHash: Uint8Array },
): number {
  const cohort = new Set(plan.cohort.map((silo) => `silo/${silo}`));
  const verified = new Set<string>();
  for (const envelope of acknowledgements.slice(0, LIMITS.cohortMax)) {
    const { signer } = envelope;
    if (!cohort.has(signer)) throw badAnswer(`"${signer.slice(0, 80)}" acknowledges and is not in the cohort.`);
    const { message } = openEnvelope(roster, envelope, { type: 'ack', signer }, Ack);
    if (
      equalBytes(message.resultHash, resultHash) &&
      equalBytes(message.newModelHash, newModelHash) &&
      message.outcome === outcome &&
      message.coverage === Coverage.COVERAGE_FULL
    )
      verified.add(signer);
  }
  return verified.size;
}

export function badAnswer(message: string): AuditError {
  return new AuditError('audit/bad-answer', message);
}
