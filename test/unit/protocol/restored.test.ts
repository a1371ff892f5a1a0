// A disk that was set back forgets what it was charged, what it had opened and what it had released. The log and the results know, and it
// all counts again (docs/protocol.md §4.5).

import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/base/index.js';
import { roundsCharged } from '../../../src/protocol/index.js';
import { Abort, decode } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { seedFrom } from '../../support/memory/founding.js';
import { distinctSent, jobOf } from '../../support/memory/readings.js';
import { until } from '../../support/memory/refusals.js';
import type { MemorySilo } from '../../support/memory/silo.js';

const KEY = seedFrom('one and the same input');

function withStaticInputs(roundLimit: number): MemoryConsortium {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit }, log: true });
  for (const silo of consortium.silos) silo.inputKeys = () => [KEY];
  return consortium;
}

/** The disk as it was after so many records; and the program starts. */
function setBack(silo: MemorySilo, kept: number): void {
  silo.crash();
  silo.journal.length = kept;
  silo.restart();
}

/** Records before the first attempt. */
function beforeTheRound(): number {
  const consortium = withStaticInputs(1);
  const silo = consortium.silos[2]!;
  let kept = 0;
  consortium.hooks.deliver = ({ index }, { body }) => {
    if (index === 2 && body?.$case === 'start' && kept === 0) kept = silo.journal.length;
    return true;
  };
  consortium.run();
  return kept;
}

describe('a silo whose disk was set back to before a round with its input', () => {
  it('is charged for it, and counts it as opened with those who were in the sum', () => {
    for (const kept of [0, beforeTheRound()]) {
      const consortium = withStaticInputs(2);
      const silo = consortium.silos[2]!;
      consortium.run(1);
      consortium.settle();
      setBack(silo, kept);
      expect(roundsCharged(silo.state, 'records')).toBe(0);
      consortium.run();
      expect(jobOf(silo).closedRound).toBe(2);
      expect(roundsCharged(silo.state, 'records')).toBe(2);
      const opened = silo.state.openings.get(hex(KEY))!;
      expect(opened.map(({ round, silos }) => [round, silos.length])).toEqual([
        [1, 5],
        [2, 5],
      ]);
    }
  });

  it('refuses to open the same input with others, as it would have with its disk whole', () => {
    const consortium = withStaticInputs(2);
    const silo = consortium.silos[2]!;
    const usual = consortium.silos[0]!.input;
    consortium.silos[0]!.input = (round, length) => (round === 2 ? undefined : usual(round, length));
    consortium.run(1);
    expect(until(consortium, 'start', 2).silo).toBe(silo);
    setBack(silo, beforeTheRound());
    consortium.run();
    expect(silo.rejections.map(({ code }) => code)).toContain('confirm/input-rule');
    expect(consortium.job.closed[1]?.abandon).toBeDefined();
  });

  it('says the same of its ledger after every further start', () => {
    const consortium = withStaticInputs(1);
    const silo = consortium.silos[2]!;
    consortium.run();
    setBack(silo, beforeTheRound());
    consortium.run();
    setBack(silo, silo.journal.length);
    consortium.run();
    expect(roundsCharged(silo.state, 'records')).toBe(1);
  });
});

describe('a silo that has released, and whose disk was set back to before that', () => {
  /** Its release arrives, those of the others are lost, and so the round is abandoned. */
  function abandoned(rounds: number): { consortium: MemoryConsortium; silo: MemorySilo } {
    const kept = beforeTheRound();
    const consortium = withStaticInputs(rounds);
    const silo = consortium.silos[2]!;
    let isBack = false;
    consortium.hooks.arrive = ({ index }, { type }) =>
      consortium.job.closed.length > 0 || (type !== 'unmask' && type !== 'release-answer') || (index === 2 && !isBack);
    consortium.hooks.deliver = ({ index }, { body }) => {
      if (index !== 2 || body?.$case !== 'releaseQuery' || isBack) return true;
      isBack = true;
      setBack(silo, kept);
      return false;
    };
    consortium.run(1);
    expect(isBack).toBe(true);
    return { consortium, silo };
  }

  it('gives nothing up when the round is abandoned, is charged, and counts its input as opened', () => {
    const { consortium, silo } = abandoned(1);
    consortium.run();
    expect(consortium.job.closed[0]?.abandon).toBeDefined();
    expect(jobOf(silo).closedRound).toBe(1);
    expect(distinctSent(silo, 'unmask')).toHaveLength(1);
    const aborts = distinctSent(silo, 'abort').map(({ payload }) => decode(Abort, 'abort', payload).code);
    expect(aborts).toEqual([]);
    expect(silo.notices.map(({ code }) => code)).toContain('round/burnt');
    expect(roundsCharged(silo.state, 'records')).toBe(1);
  });

  it('refuses to open that input with others in the next round', () => {
    const { consortium, silo } = abandoned(2);
    const usual = consortium.silos[0]!.input;
    consortium.silos[0]!.input = (round, length) => (round === 2 ? undefined : usual(round, length));
    consortium.run();
    expect(silo.rejections.map(({ code }) => code)).toContain('confirm/input-rule');
  });
});
