// Whole lists, page by page.

import type { AdminClient } from '../src/transport/index.js';
import type { Job, Round } from '../src/wire/index.js';
import { badAnswer } from './checked-round.js';

/** More pages than a coordinator with 100,000 rounds has: one that never ends is lying. */
const PAGES_MAX = 200_000;

export async function allJobs(client: AdminClient, signal: AbortSignal): Promise<Job[]> {
  return all(async (pageToken) => {
    const { jobs, nextPageToken } = await client.listJobs({ pageSize: 0, pageToken }, signal);
    return { items: jobs, nextPageToken };
  });
}

export async function allRounds(client: AdminClient, jobId: string, signal: AbortSignal): Promise<Round[]> {
  return all(async (pageToken) => {
    const { rounds, nextPageToken } = await client.listRounds({ jobId, pageSize: 1000, pageToken }, signal);
    return { items: rounds, nextPageToken };
  });
}

async function all<T>(page: (token: string) => Promise<{ items: T[]; nextPageToken: string }>): Promise<T[]> {
  const items: T[] = [];
  let token = '';
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const next = await page(token);
    for (const item of next.items) items.push(item);
    if (next.nextPageToken === '') return items;
    token = next.nextPageToken;
  }
  throw badAnswer('the coordinator gives page after page without an end.');
}
