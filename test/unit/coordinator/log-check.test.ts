// What fsck finds when log and journal do not belong together, on a real log on disk.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LogCheck } from '../../../coordinator/log-check.js';
import { unixMs } from '../../../src/base/index.js';
import { initialCoordinatorState } from '../../../src/protocol/index.js';
import { TransparencyLog } from '../../../src/storage/index.js';
import { decodeEntry, encodeEntry } from '../../../src/transcript/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

const folder = mkdtempSync(join(tmpdir(), 'veilsum-log-check-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 }, log: true });
consortium.run();
const { coordinatorKey, logKey, roster } = consortium.founded;
const initial = initialCoordinatorState({ signingKey: coordinatorKey, logKey, roster });
const given = consortium.log;

/** Problems of a state folder whose log has `entries`, beside a journal that gives those of the consortium. */
async function problemsOf(name: string, entries: readonly Uint8Array[], damage = ''): Promise<string[]> {
  const state = join(folder, name);
  const log = await TransparencyLog.open(join(state, 'log'));
  await log.append(entries);
  await log.close();
  if (damage !== '') {
    mkdirSync(join(state, 'log', 'public'), { recursive: true });
    writeFileSync(join(state, 'log', 'public', damage), 'x');
  }
  const check = await LogCheck.open(state, initial);
  for (const [k, entry] of given.entries()) if (k > 0) check!.take(k, [entry]);
  return check!.report(true).problems.map(({ where, what }) => `${where}: ${what}`);
}

describe('fsck of the log of a coordinator', () => {
  it('finds nothing in the log that the journal gives, with its last entries or without them', async () => {
    expect(await problemsOf('whole', given)).toEqual([]);
    expect(await problemsOf('behind', given.slice(0, -3))).toEqual([]);
  });

  it('finds a log of which the journal gives other entries', async () => {
    const changed = given.map((entry, k) =>
      k === 5 ? encodeEntry({ ...decodeEntry(entry), recordedAt: unixMs(7) }) : entry,
    );
    const expected = `journal: it gives other entries than the ${String(given.length)} of the log`;
    expect(await problemsOf('changed', changed)).toEqual([expected]);
  });

  it('finds a journal that was set back', async () => {
    const size = given.length;
    const expected = `journal: it gives ${String(size)} entries, the log has ${String(size + 1)}`;
    expect(await problemsOf('longer', [...given, given.at(-1)!])).toEqual([expected]);
  });

  it('finds what is wrong in its files', async () => {
    expect((await problemsOf('damaged', given, 'checkpoint')).join()).toContain('checkpoint');
  });

  it('looks for none where the roster names none', async () => {
    const plain = new MemoryConsortium(4).founded;
    const self = { signingKey: plain.coordinatorKey, logKey: undefined, roster: plain.roster };
    expect(await LogCheck.open(folder, initialCoordinatorState(self))).toBeUndefined();
  });
});
