// Deadlines of the manifest against the times of the log: who was left out, and whether its time had been up.

import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifyOptions } from '../../../src/audit/index.js';
import { unixMs } from '../../../src/base/index.js';
import { decodeEntry, type EntryKindName } from '../../../src/transcript/index.js';
import { changedEntry, conspired, entriesIn, partsOf, verifyParts, type Parts } from '../../support/audit/forge.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../../support/audit/trained.js';

let trained: Trained;
let parts: Parts;
let options: VerifyOptions;

beforeAll(async () => {
  trained = await trainedConsortium();
  parts = partsOf(await bundleOfJob(trained));
  options = { rosterHash: trained.consortium.founded.roster.hash };
});

function indexOf(kind: EntryKindName, round: number, attempt = 1): number {
  const index = entriesIn(parts).findIndex((bytes) => {
    const entry = decodeEntry(bytes);
    return entry.kind === kind && entry.round === round && entry.attempt === attempt;
  });
  expect(index).toBeGreaterThan(0);
  return index;
}

const timeOf = (index: number): number => decodeEntry(entriesIn(parts)[index]!).recordedAt;

/** Everybody signs a log in which the entry at `index` was recorded so long after the one at `from`. */
function closedAfter(index: number, from: number, ms: number) {
  const changed = conspired(parts, trained.consortium.founded, Math.ceil(trained.consortium.time / 1000), (entries) =>
    entries.map((entry, k) =>
      k === index ? changedEntry(entry, () => ({ recordedAt: unixMs(timeOf(from) + ms) })) : entry,
    ),
  );
  // Later starts name roots of the log as it was: of that, other tests.
  return verifyParts(changed, options).findings.filter(({ code }) => code !== 'log/fork');
}

describe('a survivor set without a silo', () => {
  // Round 2 went on without silo-003, which uploaded again in round 3.
  const closing = () => ({ from: indexOf('t2', 2), to: indexOf('t3', 2) });
  const least = (): number => {
    const { absentAfterMs, maskMs } = trained.consortium.job.manifest.message.timeouts!;
    return Math.min(absentAfterMs, maskMs);
  };

  it('is right when its time was up, and every closing is counted', () => {
    const { from, to } = closing();
    expect(timeOf(to) - timeOf(from)).toBeGreaterThanOrEqual(least());
    const { findings, notes, counts } = verifyParts(parts, options);
    expect([findings, notes.filter((note) => note.includes('closed'))]).toEqual([[], []]);
    // U1, U2 and U3 of four rounds, and U1 and U2 of an attempt that failed.
    expect(counts.deadlines).toBe(14);
  });

  it('that was closed a millisecond too early is found, with the entries that show it', () => {
    const { from, to } = closing();
    expect(closedAfter(to, from, least())).toEqual([]);
    expect(closedAfter(to, from, least() - 1)).toMatchObject([
      { code: 'verify/closed-early', verdict: 'FAIL', entries: [from, to, indexOf('t1', 3)] },
    ]);
  });

  it('that was closed early with everybody in it is nobody’s loss', () => {
    expect(closedAfter(indexOf('t3', 3, 2), indexOf('t2', 3, 2), 0)).toEqual([]);
  });
});

it('a phase that was closed long after its deadline is no finding, and is noted', () => {
  // The last round: what stands behind it can all be later.
  const [from, to] = [indexOf('t1', 4), indexOf('t2', 4)];
  const { shareMs } = trained.consortium.job.manifest.message.timeouts!;
  const late = 2 * shareMs + 5 * 60_000 + 1;
  const changed = conspired(
    parts,
    trained.consortium.founded,
    Math.ceil((trained.consortium.time + late) / 1000),
    (entries) =>
      entries.map((entry, k) =>
        k < to ? entry : changedEntry(entry, ({ recordedAt }) => ({ recordedAt: unixMs(recordedAt + late) })),
      ),
  );
  expect(timeOf(to) - timeOf(from)).toBeLessThan(shareMs);
  const { findings, notes } = verifyParts(changed, options);
  expect(findings).toEqual([]);
  expect(notes.join('\n')).toContain('closed long after the deadline: U2 of round 4 attempt 1');
});
