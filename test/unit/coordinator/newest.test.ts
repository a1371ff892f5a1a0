// A coordinator that does not lead may not have read yet what a silo has heard from another: before it says no, it reads.

import { expect, it } from 'vitest';
import { notLeading } from '../../../coordinator/cluster/forwarding.js';
import { siloHandlers } from '../../../coordinator/silo-handlers.js';
import { asSiloId } from '../../../src/base/index.js';

const silo = asSiloId('hospital-a')!;

/** What the handlers touch: a log of so many entries, and what reading on changes. */
function lagging(newest: (log: { size: number }, members: Set<string>) => Promise<void>) {
  const log = { size: 3 };
  const members = new Set<string>([silo]);
  let asked = 0;
  const service = {
    self: { roster: { members } },
    get state() {
      return { denied: new Map(), log: { range: { size: log.size } } };
    },
    store: { log: { consistency: (from: number, to: number) => [from, to] } },
    newest: () => {
      asked++;
      return newest(log, members);
    },
  };
  return { handlers: siloHandlers(service as never, {} as never), members, asked: () => asked };
}

it('answers what it knows without looking for more', async () => {
  const { handlers, asked } = lagging(() => Promise.resolve());
  expect(await handlers.proveLog(silo, { from: 1n, to: 3n })).toEqual({ hashes: [1, 3] });
  expect(asked()).toBe(0);
});

it('finds what it did not know yet, a member of the newest roster or an entry of the log', async () => {
  const { handlers, members, asked } = lagging((log, known) => {
    known.add(silo);
    log.size = 5;
    return Promise.resolve();
  });
  members.clear();
  expect(await handlers.proveLog(silo, { from: 1n, to: 5n })).toEqual({ hashes: [1, 5] });
  expect(asked()).toBe(1);
});

it('refuses what is not there after that', async () => {
  const { handlers, members } = lagging(() => Promise.resolve());
  await expect(handlers.proveLog(silo, { from: 1n, to: 4n })).rejects.toMatchObject({ code: 'coordinator/no-entries' });
  members.clear();
  await expect(handlers.proveLog(silo, { from: 1n, to: 3n })).rejects.toMatchObject({
    code: 'coordinator/not-a-member',
  });
});

it('refuses nothing for good while it cannot know what is newest: the silo asks again', async () => {
  const { handlers, members } = lagging(() => Promise.reject(notLeading('the database does not answer.')));
  members.clear();
  await expect(handlers.proveLog(silo, { from: 1n, to: 9n })).rejects.toMatchObject({
    code: 'coordinator/not-leading',
    category: 'unavailable',
  });
});
