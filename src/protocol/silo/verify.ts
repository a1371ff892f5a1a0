// P6: a result comes with its transcript. The silo checks every signature, opening, mask and fingerprint, computes outcome and model
// itself, and only then acknowledges. The same path serves a silo that missed the round: it needs nothing but the bytes.

import { asHash, asJobId, equalBytes } from '../../base/index.js';
import { hash, LABELS } from '../../crypto/index.js';
import {
  Ack,
  Dispute,
  RoundResult,
  type ChargeStatement,
  type Envelope,
  type ResultDirective,
  type RoundTranscript,
  type SiloResultVerified,
} from '../../wire/index.js';
import { checkResult, checkTranscript, resultHash } from '../check/result.js';
import { openEnvelope, seal } from '../envelope.js';
import { cohortProblem } from '../params.js';
import { openPlan, type Plan } from '../plan.js';
import { demand, demanded, demandOne } from '../rejection.js';
import { COORDINATOR, siloSigner } from '../roster.js';
import { jobOf, withJob } from './change.js';
import { recordSum } from './differencing.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import { demandNextRound } from './next-round.js';
import { settleOpening } from './openings.js';
import { isForgotten, restoredByResult } from './restored.js';
import type { JobState, OpenRound, SiloState } from './state.js';
import { demandFirstTerminal } from './witness.js';

/** Changes nothing yet: the vectors are checked by an effect, and `resultVerified` brings what came of it. */
export function onResultReceived(
  state: SiloState,
  directive: ResultDirective,
  transcript: RoundTranscript,
): Accepted<SiloState> {
  const plan = openPlan(state.self.roster, transcript.plan);
  const job = jobOf(state, plan.jobId);
  const ack = job.acks.get(plan.round);
  if (ack !== undefined) return { state, effects: [submit(ack)] };
  demandNextRound(job, plan, 'result/order');
  demandFirstTerminal(state, plan, directive.result);
  const checked = checkTranscript(state.self.roster, job.manifest, transcript);
  const { maxMalicious, minCohort } = job.manifest;
  const problem = cohortProblem(plan.n, { c: maxMalicious, minCohort, minHonest: 2, graph: job.manifest.graph });
  demand(problem === undefined, 'plan/floor-honest', `${problem ?? ''}.`);
  const own = job.open?.attempt;
  demandOne(
    own?.survivors === undefined ||
      own.context.attempt.attempt !== checked.context.attempt.attempt ||
      equalBytes(own.survivors.t3, checked.survivors.t3),
    'confirm/second-set',
    'the result rests on another survivor set or sum than the one this silo knows of this attempt.',
    [own?.survivors?.request, checked.survivors.request, directive.result],
  );
  const result = checkResult(checked, directive.result);
  const restores = isForgotten(state, job, plan, checked.survivors.members);
  return { state, effects: [{ kind: 'verify-result', manifest: job.manifest, result, directive, restores }] };
}

export function onResultVerified(
  state: SiloState,
  event: JournalledEvent,
  value: SiloResultVerified,
): Accepted<SiloState> {
  const job = jobOf(state, demanded(asJobId(value.jobId), 'plan/unknown-job', 'no such job.'));
  if (value.round !== job.closedRound + 1) return { state, effects: [] };
  const plan = openPlan(state.self.roster, value.plan);
  demandNextRound(job, plan, 'result/order');
  const expected = { type: 'result', signer: COORDINATOR } as const;
  const { message, payload } = openEnvelope(state.self.roster, value.result, expected, RoundResult, 256 * 1024);
  const resultId = resultHash(payload);
  const agrees =
    message.outcome === value.outcome &&
    message.endsJob === value.endsJob &&
    equalBytes(message.newModelHash, value.newModelHash);
  const failure = value.failedCode !== '' ? value.failedCode : agrees ? undefined : 'result/outcome';
  const { self } = state;
  const signer = siloSigner(self.siloId);
  if (failure !== undefined && job.dispute !== undefined) return { state, effects: [submit(job.dispute)] };
  if (failure !== undefined) {
    const evidence = value.result === undefined ? [] : [value.result];
    const dispute = seal(self.signingKey, signer, 'dispute', Dispute, {
      resultHash: resultId,
      code: failure,
      evidence,
    });
    return {
      state: withJob(state, { ...job, dispute }),
      effects: [
        { kind: 'persist', event, emitted: [dispute] },
        submit(dispute),
        {
          kind: 'notice',
          jobId: plan.jobId,
          round: plan.round,
          code: failure,
          detail: 'this silo disputes the result and does not go on from it.',
        },
      ],
    };
  }
  const ack = seal(self.signingKey, signer, 'ack', Ack, {
    resultHash: resultId,
    outcome: value.outcome,
    coverage: value.coverage,
    newModelHash: value.newModelHash,
    charge: chargeOf(job.open),
  });
  const newModel = demanded(asHash(value.newModelHash), 'result/outcome', 'the new model hash has not 32 bytes.');
  // self_b was opened for exactly the survivors, which `checkResult` demanded.
  const survivors = message.selfSecrets.map(({ index }) => index);
  const settled = job.open === undefined ? state : settleOpening(state, job.open, survivors);
  const restored = value.restored ? restoredByResult(settled, job, plan, value.ownInputKeys, survivors) : settled;
  const known = recordSum(restored, job, plan, job.open, survivors);
  return close(known, job, plan, event, {
    ack,
    previous: resultId,
    model: newModel,
    stopped: value.endsJob,
  });
}

/** What this silo charged for the round, for the log; undefined when it masked no input in it. */
export function chargeOf(open: OpenRound | undefined): ChargeStatement | undefined {
  if (open?.contribution.kind !== 'ready') return undefined;
  const { charged, dataSetVersion } = open.contribution;
  if (charged === undefined || dataSetVersion.length === 0) return undefined;
  return { dataSet: dataSetVersion, rounds: BigInt(charged) };
}

/** A terminal entry closes the round: everything of it may be forgotten but what is resent for ever. */
export function close(
  state: SiloState,
  job: JobState,
  { round, roster }: Plan,
  event: JournalledEvent,
  with_: {
    readonly ack: Envelope;
    readonly previous: JobState['previousResultHash'];
    readonly model: JobState['modelHash'];
    readonly stopped?: boolean;
  },
): Accepted<SiloState> {
  const { ack, previous, model, stopped = false } = with_;
  const forget: SiloEffect[] =
    job.open?.contribution.kind === 'ready'
      ? [{ kind: 'forget-input', inputHash: job.open.contribution.inputHash }]
      : [];
  const closed: JobState = {
    ...job,
    modelHash: model,
    previousResultHash: previous,
    closedRound: round,
    epoch: roster.epoch,
    stopped,
    lastAckHash: hash(LABELS.ack, ack.payload),
    open: undefined,
    forgottenSums: equalBytes(model, job.modelHash) ? job.forgottenSums : undefined,
    dispute: undefined,
    acks: new Map(job.acks).set(round, ack),
    models: new Map(job.models).set(round, model),
  };
  return {
    state: withJob(state, closed),
    effects: [{ kind: 'persist', event, emitted: [ack] }, submit(ack), ...forget],
  };
}
