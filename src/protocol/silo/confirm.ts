// P4: the survivors and the sum are announced. The silo signs at most one T3 in an attempt, and none that leaves out somebody who
// holds a receipt for its own upload.

import { equalBytes } from '../../base/index.js';
import {
  Consistency,
  ConsistencyRequest,
  Protest,
  type ConfirmDirective,
  type Envelope,
  type SiloFingerprinted,
} from '../../wire/index.js';
import { openRequest, type SurvivorSet } from '../check/survivors.js';
import { equalEnvelopes, openEnvelope, seal } from '../envelope.js';
import { demand, demanded, demandOne } from '../rejection.js';
import { COORDINATOR, siloSigner } from '../roster.js';
import { locate, withAttempt, type Located } from './change.js';
import { demandNoDifference, differenceWarned } from './differencing.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import { masksOf } from './mask.js';
import { demandInputRule, recordOpening } from './openings.js';
import { demandAlive } from './share.js';
import { effectiveMalicious, type SiloState } from './state.js';
import { demandAwake } from './witness.js';

/** The attempt that a request is about, by the rid inside it; undefined when it is not open here. */
export function locateRequest(state: SiloState, request: Envelope | undefined): Located | undefined {
  const expected = { type: 'survivors', signer: COORDINATOR } as const;
  const { message } = openEnvelope(state.self.roster, request, expected, ConsistencyRequest, 256 * 1024);
  return locate(state, message.rid, message.attempt);
}

export function onConfirmRequested(
  state: SiloState,
  event: JournalledEvent,
  value: ConfirmDirective,
): Accepted<SiloState> {
  const found = locateRequest(state, value.request);
  if (found?.attempt.dealers === undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  const survivors = survivorsOf(found, value.request);
  if (attempt.survivors !== undefined)
    return {
      state,
      effects: attempt.signed === undefined ? [fingerprint(found, survivors)] : [submit(attempt.signed)],
    };
  if (!survivors.members.has(open.index)) {
    return attempt.receipt === undefined
      ? { state, effects: [] }
      : protest(state, found, event, attempt.receipt, survivors);
  }
  demandSurvivors(state, found, survivors);
  const next = withAttempt(recordOpening(state, found, survivors), job, open, { survivors });
  const warned = differenceWarned(state, found, survivors);
  return { state: next, effects: [{ kind: 'persist', event, emitted: [] }, ...warned, fingerprint(found, survivors)] };
}

/** Opens a request against the transcripts of this attempt; refuses a second survivor set or sum. */
export function survivorsOf(found: Located, request: Envelope | undefined): SurvivorSet {
  const { attempt } = found;
  const keys = demanded(attempt.keys, 'confirm/wrong-phase', 'the survivors came before the keys.', 'state');
  const dealers = demanded(attempt.dealers, 'confirm/wrong-phase', 'the survivors came before the dealers.', 'state');
  const survivors = openRequest(attempt.context, keys, dealers, request);
  demandOne(
    attempt.survivors === undefined || equalBytes(attempt.survivors.t3, survivors.t3),
    'confirm/second-set',
    'another survivor set or sum was accepted in this attempt.',
    [attempt.survivors?.request, survivors.request],
  );
  return survivors;
}

/** The checks of §2.3 P4 that depend on this silo's own past and policy. */
export function demandSurvivors(state: SiloState, found: Located, survivors: SurvivorSet): void {
  const { job, open, attempt } = found;
  demandAlive(found);
  demandAwake(state, job, open.plan.round);
  const { minHonest } = state.self.policy;
  const honest = survivors.members.size - effectiveMalicious(state.self, job.manifest);
  demand(
    honest >= minHonest,
    'confirm/too-few',
    `the sum may hold only ${String(honest)} honest inputs, ${String(minHonest)} are required here.`,
  );
  demand(
    open.releasedIn === undefined || open.releasedIn.attempt === attempt.context.attempt.attempt,
    'confirm/released',
    'this silo has released in another attempt of this round.',
  );
  const own = survivors.members.get(open.index);
  if (own === undefined) {
    demandOne(
      attempt.receipt === undefined,
      'confirm/left-out',
      'this silo holds a receipt for its input and is left out.',
      [attempt.receipt, survivors.request],
    );
    return;
  }
  demand(
    attempt.masked !== undefined && equalEnvelopes(own.envelope, attempt.masked.envelope),
    'confirm/own-root',
    'the masked header listed for this silo is not the one it signed.',
  );
  demandInputRule(state, found, survivors);
  demandNoDifference(state, found, survivors);
}

/** Our fingerprints are there: sign this T3, once and for all. */
export function onFingerprinted(
  state: SiloState,
  event: JournalledEvent,
  value: SiloFingerprinted,
): Accepted<SiloState> {
  const found = [...state.jobs.values()]
    .flatMap((job) => (job.open === undefined ? [] : [{ job, open: job.open, attempt: job.open.attempt }]))
    .find(({ attempt }) => attempt.survivors !== undefined && equalBytes(attempt.survivors.t3, value.t3));
  if (found === undefined || found.attempt.signed !== undefined) return { state, effects: [] };
  const { job, open } = found;
  demandAlive(found);
  demandAwake(state, job, open.plan.round);
  const { self } = state;
  const signed = seal(self.signingKey, siloSigner(self.siloId), 'consistency', Consistency, {
    ...value,
    index: open.index,
  });
  return {
    state: withAttempt(state, job, open, { phase: 'unmask', signed }),
    effects: [{ kind: 'persist', event, emitted: [signed] }, submit(signed)],
  };
}

function protest(
  state: SiloState,
  found: Located,
  event: JournalledEvent,
  receipt: Envelope,
  survivors: SurvivorSet,
): Accepted<SiloState> {
  const { self } = state;
  const { job, open, attempt } = found;
  if (attempt.protest !== undefined) return { state, effects: [submit(attempt.protest)] };
  const t2 = demanded(attempt.dealers, 'confirm/wrong-phase', 'no dealers.').t2;
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'protest', Protest, {
    t2,
    receipt,
    request: survivors.request,
  });
  const { jobId, round } = open.plan;
  return {
    state: withAttempt(state, job, open, { protest: envelope }),
    effects: [
      { kind: 'persist', event, emitted: [envelope] },
      submit(envelope),
      {
        kind: 'notice',
        jobId,
        round,
        code: 'confirm/left-out',
        detail:
          "the coordinator confirmed this silo's upload and left it out of the survivors; this silo protested and releases nothing.",
      },
    ],
  };
}

function fingerprint(found: Located, survivors: SurvivorSet): SiloEffect {
  const { job, open, attempt } = found;
  const { contribution } = open;
  demand(contribution.kind === 'ready', 'confirm/wrong-phase', 'this silo has no input in this round.');
  return {
    kind: 'fingerprint',
    plan: open.plan,
    attempt: attempt.context.attempt.attempt,
    inputHash: contribution.inputHash,
    masks: masksOf(found),
    modulusBits: job.manifest.modulusBits,
    survivors,
  };
}
