// The differencing guard (docs/protocol.md §3): sums whose difference to the last one isolates a silo, or tells what changed in records.

import { describe, expect, it } from 'vitest';
import { initialSiloState, replaySilo, type SiloPolicy } from '../../../src/protocol/index.js';
import { JobKind, type JobManifest } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy, seedFrom } from '../../support/memory/founding.js';
import { allBut, openedIn } from '../../support/memory/readings.js';

const N = 5;
type Guard = SiloPolicy['differencing'];

function consortiumWith(differencing: Guard, rounds: number, manifest: Partial<JobManifest> = {}): MemoryConsortium {
  const policy = { ...openPolicy, differencing };
  return new MemoryConsortium(N, { manifest: { roundLimit: rounds, ...manifest }, policy });
}

/** Keeps the inputs of some silos out of one round. */
function leaveOut(consortium: MemoryConsortium, indices: readonly number[], round: number): void {
  for (const index of indices) {
    const silo = consortium.silos[index]!;
    const usual = silo.input;
    silo.input = (number, length) => (number === round ? undefined : usual(number, length));
  }
}

const warnings = (consortium: MemoryConsortium): string[] =>
  consortium.silos.flatMap(({ notices }) =>
    notices.filter(({ code }) => code === 'confirm/differencing').map((n) => n.detail),
  );
const refusals = (consortium: MemoryConsortium): string[] =>
  consortium.silos
    .flatMap(({ rejections }) => rejections.map(({ code }) => code))
    .filter((code) => code === 'confirm/differencing');

describe('survivors of two training rounds in a row that differ by one silo', () => {
  it('are told of by every silo that signs, once, and opened', () => {
    const consortium = consortiumWith('warn', 2);
    leaveOut(consortium, [4], 2);
    consortium.run();
    expect(openedIn(consortium, 2)).toEqual(allBut(N, 4));
    expect(warnings(consortium)).toHaveLength(N - 1);
    expect(warnings(consortium)[0]).toContain('differ by silo-004 alone');
  });

  it('are refused where the policy says so, and the round is given up', () => {
    const consortium = consortiumWith('refuse', 2);
    leaveOut(consortium, [4], 2);
    consortium.run();
    const [first, second] = consortium.job.closed;
    expect(first!.result).toBeDefined();
    expect(second!.abandon).toBeDefined();
    expect(refusals(consortium).length).toBeGreaterThanOrEqual(N - 1);
    for (const silo of consortium.silos)
      expect(silo.sent.filter(({ type }) => type === 'unmask').length).toBeLessThanOrEqual(1);
  });

  it('are seen also when it is the later sum that holds one more', () => {
    const consortium = consortiumWith('warn', 2);
    leaveOut(consortium, [0], 1);
    consortium.run();
    expect(warnings(consortium).length).toBe(N);
    expect(warnings(consortium)[0]).toContain('differ by silo-000 alone');
  });

  it('are the only ones: the same survivors, or others by two, are neither told of nor refused', () => {
    const same = consortiumWith('refuse', 3);
    same.run();
    expect(same.job.closed.every(({ result }) => result !== undefined)).toBe(true);
    const policy = { ...openPolicy, differencing: 'refuse' as const };
    const two = new MemoryConsortium(7, { manifest: { roundLimit: 2 }, policy });
    leaveOut(two, [5, 6], 2);
    two.run();
    expect(openedIn(two, 2)).toEqual([0, 1, 2, 3, 4]);
    expect([...refusals(two), ...warnings(two)]).toEqual([]);
  });

  it('leave the journal readable when the policy begins to refuse later', () => {
    const consortium = consortiumWith('warn', 2);
    leaveOut(consortium, [4], 2);
    consortium.run();
    const [silo] = consortium.silos;
    const { self } = silo!.state;
    let state = initialSiloState({ ...self, policy: { ...self.policy, differencing: 'refuse' } });
    for (const bytes of silo!.journal) {
      const done = replaySilo(state, bytes);
      if (!done.ok) throw new Error(done.error);
      state = done.value;
    }
    expect(state.self.policy.differencing).toBe('refuse');
    expect(state.lastSums.get('train/job-1')).toMatchObject({ round: 2 });
  });
});

describe('statistics of one data set that are asked for again', () => {
  const statistics = { kind: JobKind.JOB_KIND_STATISTICS };

  /** State of the first silo after an earlier statistics job over these silos, on records of this version. */
  function after(differencing: Guard, silos: readonly number[], version: string): MemoryConsortium {
    const consortium = consortiumWith(differencing, 1, statistics);
    for (const silo of consortium.silos) {
      const before = {
        jobId: 'earlier' as never,
        round: 1,
        silos: silos.map((index) => consortium.silos[index]!.id),
        dataSetVersion: version === 'same' ? seedFrom(`version ${silo.id}`) : seedFrom(version),
      };
      silo.state = { ...silo.state, lastSums: new Map([['statistics/records', before]]) };
    }
    consortium.run();
    return consortium;
  }

  it('over the same silos on the same records pass', () => {
    const consortium = after('refuse', [0, 1, 2, 3, 4], 'same');
    expect(openedIn(consortium, 1)).toEqual(allBut(N));
    expect([...refusals(consortium), ...warnings(consortium)]).toEqual([]);
  });

  it('over cohorts that differ by one silo are told of, or refused', () => {
    expect(warnings(after('warn', [0, 1, 2, 3], 'same'))[0]).toContain('differ by silo-004 alone');
    const refused = after('refuse', [0, 1, 2, 3], 'same');
    expect(refused.job.closed[0]!.abandon).toBeDefined();
    expect(refusals(refused).length).toBeGreaterThan(0);
  });

  it('over the same silos on records that changed are told of, or refused', () => {
    expect(warnings(after('warn', [0, 1, 2, 3, 4], 'other'))[0]).toContain('records have changed');
    expect(after('refuse', [0, 1, 2, 3, 4], 'other').job.closed[0]!.abandon).toBeDefined();
  });
});
