// Pages of lists: complete, stable and bounded.

import { describe, expect, it } from 'vitest';
import { pageOf, type PagedList } from '../../../coordinator/admin/page.js';
import { LIMITS } from '../../../src/base/index.js';
import { encode, Metric, Outcome, RoundState } from '../../../src/wire/index.js';
import { ADA, completed, running } from './states.js';

function listOf(length: number, name = 'items', nameLength = 1): PagedList<Metric> {
  return { name, length, item: (value) => ({ name: 'x'.repeat(nameLength), value }), codec: Metric };
}

const ALL = {
  jobId: 'job-1',
  state: RoundState.ROUND_STATE_UNSPECIFIED,
  outcome: Outcome.OUTCOME_UNSPECIFIED,
  firstRound: 0,
  lastRound: 0,
  fields: [],
};

describe('pages', () => {
  it('give every item once, whatever their size', () => {
    for (const pageSize of [0, 1, 7, 1000]) {
      const all: number[] = [];
      let pageToken = '';
      do {
        const page = pageOf(listOf(250), { pageSize, pageToken });
        all.push(...page.items.map(({ value }) => value));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      expect(all).toEqual(Array.from({ length: 250 }, (_, i) => i));
    }
  });

  it('go on where they were when the list has grown since', () => {
    const { nextPageToken } = pageOf(listOf(10), { pageSize: 4, pageToken: '' });
    const next = pageOf(listOf(20), { pageSize: 4, pageToken: nextPageToken });
    expect(next.items.map(({ value }) => value)).toEqual([4, 5, 6, 7]);
  });

  it('stay below the size of a message, and give one item at least', () => {
    const large = listOf(1000, 'items', 50_000);
    const page = pageOf(large, { pageSize: 1000, pageToken: '' });
    const bytes = page.items.reduce((sum, item) => sum + encode(Metric, item).length, 0);
    expect(bytes).toBeLessThanOrEqual(LIMITS.messageBytes / 2);
    expect(page.nextPageToken).not.toBe('');
    expect(pageOf(listOf(3, 'items', 3_000_000), { pageSize: 0, pageToken: '' }).items).toHaveLength(1);
  });

  it('refuse tokens of another list, of no list, and pages that are too large', () => {
    const token = pageOf(listOf(10, 'rounds of a'), { pageSize: 2, pageToken: '' }).nextPageToken;
    const padded = Buffer.from('02 rounds of b').toString('base64url');
    const beyond = Buffer.from('11 rounds of b').toString('base64url');
    for (const pageToken of [token, 'x', '%%', padded, beyond])
      expect(() => pageOf(listOf(10, 'rounds of b'), { pageSize: 2, pageToken })).toThrow(
        /does not belong to the rounds of b/,
      );
    expect(() => pageOf(listOf(10), { pageSize: 1001, pageToken: '' })).toThrow(
      /at most 1000 items, 1001 were asked for/,
    );
  });

  it('of rounds end with the open one', async () => {
    const { handlers } = running();
    const first = await handlers.listRounds(ADA, { ...ALL, pageSize: 1, pageToken: '' });
    const second = await handlers.listRounds(ADA, { ...ALL, pageSize: 1, pageToken: first.nextPageToken });
    expect([...first.rounds, ...second.rounds].map(({ round }) => round)).toEqual([1, 2]);
    expect(second.nextPageToken).toBe('');
  });

  it('of jobs name the list they belong to', async () => {
    const { handlers } = completed();
    const pageToken = Buffer.from('1 rounds of job-1').toString('base64url');
    await expect(handlers.listJobs(ADA, { pageSize: 0, pageToken, states: [], fields: [] })).rejects.toMatchObject({
      code: 'admin/bad-page',
      category: 'content',
    });
  });
});
