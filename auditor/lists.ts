// Whole lists, page by page.

import type { AdminClient } from '../src/transport/index.js';
import type { Act, GetParticipationResponse, Job, LedgerLine, Participation, Round, Silo } from '../src/wire/index.js';
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

export async function allSilos(client: AdminClient, signal: AbortSignal): Promise<Silo[]> {
  return all(async (pageToken) => {
    const { silos, nextPageToken } = await client.listSilos({ pageSize: 1000, pageToken }, signal);
    return { items: silos, nextPageToken };
  });
}

export async function allActs(client: AdminClient, signal: AbortSignal): Promise<Act[]> {
  return all(async (pageToken) => {
    const { acts, nextPageToken } = await client.listActs({ pageSize: 1000, pageToken }, signal);
    return { items: acts, nextPageToken };
  });
}

export async function allLedgerLines(client: AdminClient, jobId: string, signal: AbortSignal): Promise<LedgerLine[]> {
  return all(async (pageToken) => {
    const { lines, nextPageToken } = await client.getLedger({ jobId, pageSize: 1000, pageToken }, signal);
    return { items: lines, nextPageToken };
  });
}

export interface WholeParticipation {
  readonly silos: GetParticipationResponse['silos'];
  readonly rounds: Participation[];
}

export async function allParticipation(
  client: AdminClient,
  asked: { readonly jobId: string; readonly firstRound?: number; readonly lastRound?: number },
  signal: AbortSignal,
): Promise<WholeParticipation> {
  let silos: string[] = [];
  const rounds = await all(async (pageToken) => {
    const page = await client.getParticipation({ ...asked, pageSize: 1000, pageToken }, signal);
    silos = page.silos;
    return { items: page.rounds, nextPageToken: page.nextPageToken };
  });
  return { silos, rounds };
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
