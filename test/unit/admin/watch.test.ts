// The live view: everything once, then changes, never more than the latest state of each round.

import { describe, expect, it } from 'vitest';
import type { WatchRoundsResponse } from '../../../src/wire/index.js';
import { JobState, Phase } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { ADA, completed, running, stand, type Stand } from './states.js';

const JOB = { jobId: 'job-1' };

/** `job 3` for a job in that state, `2 PHASE_MASK` for a round. */
function told({ update }: WatchRoundsResponse): string {
  if (update?.$case === 'job') return `job ${JobState[update.value.state]}`;
  return update === undefined ? 'nothing' : `${update.value.round} ${Phase[update.value.phase]}`;
}

function watched({ handlers }: Stand, signal = new AbortController().signal) {
  const iterator = handlers.watchRounds(ADA, JOB, signal)[Symbol.asyncIterator]();
  return {
    next: async () => {
      const step = await iterator.next();
      return step.done === true ? 'end' : told(step.value);
    },
    close: () => iterator.return?.(),
  };
}

describe('a watch', () => {
  it('of a completed job gives the job and each round once, and ends', async () => {
    const all: string[] = [];
    const { handlers, source } = completed();
    for await (const update of handlers.watchRounds(ADA, JOB, new AbortController().signal)) all.push(told(update));
    expect(all).toEqual(['job JOB_STATE_COMPLETED', '1 PHASE_DONE', '2 PHASE_DONE', '3 PHASE_DONE']);
    expect(source.listeners.size).toBe(0);
  });

  it('gives what changes after it began, and ends after the last state of the job', async () => {
    const at = running();
    const watch = watched(at);
    expect([await watch.next(), await watch.next(), await watch.next()]).toEqual([
      'job JOB_STATE_RUNNING',
      '1 PHASE_DONE',
      '2 PHASE_MASK',
    ]);
    at.consortium.hooks = {};
    const waiting = watch.next();
    at.consortium.run();
    at.source.changed();
    const rest = [await waiting];
    while (rest.at(-1) !== 'end') rest.push(await watch.next());
    expect(rest).toEqual(['2 PHASE_DONE', '3 PHASE_DONE', 'job JOB_STATE_COMPLETED', 'end']);
  });

  it('gives a slow reader the latest state and not what it missed', async () => {
    const consortium = new MemoryConsortium(4);
    const at = stand(consortium);
    const watch = watched(at);
    expect(await watch.next()).toBe('job JOB_STATE_OFFERED');
    // Every event of the whole job happens while the reader holds its first answer.
    const feed = consortium.feed.bind(consortium);
    let events = 0;
    consortium.feed = (...given) => {
      feed(...given);
      events += 1;
      at.source.changed();
    };
    consortium.run();
    expect(events).toBeGreaterThan(50);
    const rest: string[] = [];
    while (rest.at(-1) !== 'end') rest.push(await watch.next());
    expect(rest).toEqual(['1 PHASE_DONE', '2 PHASE_DONE', '3 PHASE_DONE', 'job JOB_STATE_COMPLETED', 'end']);
  });

  it('says when a silo of an open round leaves, and says nothing when nothing changed', async () => {
    const at = running();
    const watch = watched(at);
    for (let i = 0; i < 3; i++) await watch.next();
    const waiting = watch.next();
    at.source.changed();
    at.source.gone.add(at.consortium.silos[0]!.id);
    at.source.changed();
    expect(await waiting).toBe('2 PHASE_MASK');
    await watch.close();
    expect(at.source.listeners.size).toBe(0);
  });

  it('ends when its caller leaves, and is forgotten', async () => {
    const at = running();
    const leaving = new AbortController();
    const watch = watched(at, leaving.signal);
    for (let i = 0; i < 3; i++) await watch.next();
    const waiting = watch.next();
    leaving.abort();
    expect(await waiting).toBe('end');
    expect(at.source.listeners.size).toBe(0);
  });

  it('of a job that does not exist is refused', () => {
    const { handlers } = completed();
    expect(() => handlers.watchRounds(ADA, { jobId: 'job-2' }, new AbortController().signal)).toThrow(
      'there is no job "job-2".',
    );
  });
});
