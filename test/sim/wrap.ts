// Bugs that can be planted between a state machine and its effects, to see that the oracles catch them.

import type { SiloEffect, SiloEvent, SiloState } from '../../src/protocol/index.js';

export interface SiloAccepted {
  readonly state: SiloState;
  readonly effects: readonly SiloEffect[];
}

export type SiloBug = (event: SiloEvent, accepted: SiloAccepted) => SiloAccepted;

/** Asked whether it has released, it forgets it: it joins the next attempt without proof that the last one is dead. */
export const forgetsRelease: SiloBug = (event, accepted) => {
  if (event.$case !== 'releaseQueried') return accepted;
  const jobs = new Map(accepted.state.jobs);
  for (const [id, job] of jobs)
    if (job.open !== undefined) jobs.set(id, { ...job, open: { ...job.open, releasedIn: undefined } });
  return { effects: [], state: { ...accepted.state, jobs } };
};

/** Sends what it signed before that is durable. */
export const sendsFirst: SiloBug = (_, accepted) => ({
  ...accepted,
  effects: [...accepted.effects].sort((a, b) => Number(a.kind === 'persist') - Number(b.kind === 'persist')),
});

/** Forgets what was opened: what the input rule looks at. */
export const forgetsOpenings: SiloBug = (_, { state, effects }) => ({
  effects,
  state: { ...state, openings: new Map() },
});
