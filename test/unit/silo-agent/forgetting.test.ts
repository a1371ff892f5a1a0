// Secrets of closed rounds go when it is time, also from an agent to which nothing happens any more.

import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Agent, JOURNAL } from '../../../silo-agent/agent.js';
import { Alarm } from '../../../silo-agent/alarm.js';
import { Forgetting } from '../../../silo-agent/forgetting.js';
import { Offers } from '../../../silo-agent/offers.js';
import { openStore } from '../../../silo-agent/store.js';
import { LIMITS, unixMs } from '../../../src/base/index.js';
import { Computer } from '../../../src/compute/index.js';
import { readAgentConfig, type AgentConfig } from '../../../src/config/index.js';
import { systemRng } from '../../../src/system/index.js';
import type { Log } from '../../../src/telemetry/index.js';
import type { SiloClient } from '../../../src/transport/index.js';
import { decode, SiloRecord } from '../../../src/wire/index.js';
import { agentYaml, found, type Founded } from '../../support/e2e/founding.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { until } from '../../support/memory/refusals.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const HOUR_MS = 3_600_000;
const clock = { now: () => unixMs(Date.now()) };

let founded: Founded;
let config: AgentConfig;

beforeAll(async () => {
  founded = await found({ silos: 3 });
  const [silo] = founded.silos;
  writeFileSync(founded.at('agent.yaml'), agentYaml(founded, { silo: silo!, port: 1 }));
  config = await readAgentConfig(founded.at('agent.yaml'));
});

afterAll(() => rm(founded.folder, { recursive: true, force: true }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** An agent with the journal of a silo in memory, whose coordinator says nothing. */
async function quietAgent({ silos, time }: MemoryConsortium) {
  vi.setSystemTime(time);
  const [silo] = silos;
  const state = temporaryFolder();
  const store = await openStore(state, config.keys.storage);
  await store.journal.append(JOURNAL, silo!.journal);
  let heard: () => void = () => undefined;
  const watched = new Promise<void>((resolve) => (heard = resolve));
  const never = (signal?: AbortSignal): Promise<never> =>
    new Promise((_, reject) =>
      signal?.addEventListener('abort', () => {
        reject(new Error('stopped'));
      }),
    );
  const client: Pick<SiloClient, 'watch' | 'submit'> = {
    watch: async (_cursor, _onDirective, signal) => {
      heard();
      await never(signal).catch(() => undefined);
    },
    submit: (_request, signal) => never(signal),
  };
  const told: string[] = [];
  const tell = (event: string): void => {
    told.push(event);
  };
  const log = { info: tell, warn: tell, error: tell } as unknown as Log;
  const agent = await Agent.open({
    config: { ...config, state },
    self: silo!.state.self,
    store,
    offers: await Offers.open(state),
    client: client as SiloClient,
    clock,
    rng: systemRng,
    log,
    computer: new Computer({ threads: 1 }),
    fatal: (error) => {
      throw error;
    },
  });
  const done = agent.run();
  // Everything that the agent begins by itself is behind it then.
  await watched;
  return {
    /** What is in the journal in the end, what the log was told, and how many timers were left. */
    stopped: async () => {
      await agent.stop();
      await done;
      // What the store itself begins is over by then.
      vi.advanceTimersByTime(1_000);
      const timers = vi.getTimerCount();
      const kinds: string[] = [];
      for await (const { bytes } of store.journal.readAll(JOURNAL))
        kinds.push(decode(SiloRecord, 'record', bytes, LIMITS.journalRecordBytes).event!.$case);
      await store.close();
      return { kinds, told, timers };
    },
  };
}

describe('an agent to which nothing happens any more', () => {
  it('erases the secrets of closed rounds when their time is over, and not before', async () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    consortium.run();
    for (const [passed, erased] of [
      [24 * HOUR_MS - 60_000, false],
      [24 * HOUR_MS, true],
    ] as const) {
      const agent = await quietAgent(consortium);
      await vi.advanceTimersByTimeAsync(passed);
      const { kinds, told, timers } = await agent.stopped();
      expect(kinds.includes('attemptStarted')).toBe(!erased);
      expect(kinds[0] === 'stateKept').toBe(erased);
      expect(told.includes('secrets.erased')).toBe(erased);
      expect(timers).toBe(0);
    }
  });

  it('keeps them while a round is open, and does not wait for an instant then', async () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
    consortium.run(1);
    until(consortium, 'unmask');
    const open = [...consortium.silos[0]!.state.jobs.values()].filter((job) => job.open !== undefined);
    expect(open.map((job) => job.closedRound)).toEqual([1]);
    const forgetting = new Forgetting(24);
    for (const bytes of consortium.silos[0]!.journal)
      forgetting.note(decode(SiloRecord, 'record', bytes, LIMITS.journalRecordBytes).event!, unixMs(1));
    const { state } = consortium.silos[0]!;
    expect(forgetting.dueAt(state)).toBeUndefined();
    expect(forgetting.dueAt({ ...state, jobs: new Map() })).toBe(1 + 24 * HOUR_MS);
    const agent = await quietAgent(consortium);
    await vi.advanceTimersByTimeAsync(48 * HOUR_MS);
    const { kinds, told } = await agent.stopped();
    expect(kinds).toContain('attemptStarted');
    expect(told).not.toContain('secrets.erased');
  });
});

describe('an alarm', () => {
  it('rings once, at its instant, also when that is further away than a timer sleeps', () => {
    const rung: number[] = [];
    const alarm = new Alarm(clock, () => rung.push(Date.now()));
    const at = Date.now() + 90 * 24 * HOUR_MS;
    alarm.set(unixMs(at));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(100 * 24 * HOUR_MS);
    expect(rung).toEqual([at]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rings later where the clock was set back meanwhile, and at once where its instant has passed', () => {
    const rung: number[] = [];
    const alarm = new Alarm(clock, () => rung.push(Date.now()));
    const at = Date.now() + HOUR_MS;
    alarm.set(unixMs(at));
    vi.setSystemTime(at - 3 * HOUR_MS);
    vi.advanceTimersByTime(2 * HOUR_MS);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(HOUR_MS);
    expect(rung).toEqual([at]);
    alarm.set(unixMs(at - 1));
    vi.advanceTimersByTime(0);
    expect(rung).toHaveLength(2);
  });

  it('does not ring when it was cleared or set for later', () => {
    const rung: number[] = [];
    const alarm = new Alarm(clock, () => rung.push(Date.now()));
    const at = Date.now() + HOUR_MS;
    alarm.set(unixMs(at));
    alarm.set(unixMs(at + HOUR_MS));
    vi.advanceTimersByTime(HOUR_MS);
    expect(rung).toEqual([]);
    alarm.clear();
    vi.advanceTimersByTime(HOUR_MS);
    alarm.set(unixMs(at));
    alarm.set(undefined);
    vi.advanceTimersByTime(HOUR_MS);
    expect(rung).toEqual([]);
  });

  it('keeps no process alive', () => {
    vi.useRealTimers();
    const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const before = timers();
    const alarm = new Alarm(clock, () => undefined);
    alarm.set(unixMs(Date.now() + HOUR_MS));
    expect(timers()).toBe(before);
    alarm.clear();
    // What is counted here is what keeps a process alive.
    const control = setTimeout(() => undefined, HOUR_MS);
    expect(timers()).toBe(before + 1);
    clearTimeout(control);
  });
});
