// Malformed messages against the two state machines, at every step of an honest run (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import { advanceCoordinator, advanceSilo } from '../../../src/protocol/index.js';
import { record } from '../../fuzz/record.js';
import { runTarget } from '../../fuzz/run.js';
import { coordinatorTarget, roundTarget } from '../../fuzz/targets/coordinator.js';
import { siloTarget } from '../../fuzz/targets/silo.js';

const recording = record();
const SEED = 31;

describe('the silo’s state machine', () => {
  it('refuses thousands of changed directives by code, or takes them without signing anything twice', async () => {
    const { failure, ends } = await runTarget(siloTarget(recording), { seed: SEED, inputs: 1500 });
    expect(failure).toBeUndefined();
    expect(ends.get('accepted')).toBeGreaterThan(50);
    expect(ends.size).toBeGreaterThan(30);
  });

  it('is found out when it releases shares on too few confirmations', async () => {
    const { at, state } = recording.siloSteps.find(({ event }) => event.$case === 'unmaskRequested')!;
    // Takes every request to release for the one that came with enough confirmations.
    const careless: typeof advanceSilo = (from, { at: when, event }) => {
      const honest = recording.siloSteps.find((step) => step.event.$case === 'unmaskRequested')!.event;
      const done =
        event.$case === 'unmaskRequested' && from === state
          ? advanceSilo(from, { at, event: honest })
          : advanceSilo(from, { at: when, event });
      return done;
    };
    const { failure } = await runTarget(siloTarget(recording, careless), { seed: SEED, inputs: 1500 });
    expect(String(failure?.error)).toContain('shares leave on');
  });
});

describe('the coordinator’s state machine', () => {
  it('refuses thousands of changed messages by code and writes nothing of them down', async () => {
    const { failure, ends } = await runTarget(coordinatorTarget(recording), { seed: SEED, inputs: 3000 });
    expect(failure).toBeUndefined();
    expect(ends.get('accepted')).toBeGreaterThan(50);
    expect(ends.size).toBeGreaterThan(15);
  });

  it('still closes the round and opens the right sum with changed messages in between', async () => {
    const { failure } = await runTarget(roundTarget(recording), { seed: SEED, inputs: 12 });
    expect(failure).toBeUndefined();
  });

  it('is found out when one message makes it throw', async () => {
    const fragile: typeof advanceCoordinator = (state, timed) => {
      const { event } = timed;
      if (event.$case === 'messageReceived' && event.value.ciphertexts.length === 3) throw new RangeError('planted');
      return advanceCoordinator(state, timed);
    };
    const { failure } = await runTarget(coordinatorTarget(recording, fragile), { seed: SEED, inputs: 3000 });
    expect(failure?.error).toBeInstanceOf(RangeError);
  });
});
