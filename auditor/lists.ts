// Whole lists, page by page.

import { LIMITS } from '../src/base/index.js';
import { CHAIN_BYTES } from '../src/protocol/index.js';
import type { AdminClient } from '../src/transport/index.js';
import {
  decode,
  encode,
  Roster,
  SignedRoster,
  type Act,
  type GetParticipationResponse,
  type Job,
  type LedgerLine,
  type Participation,
  type Round,
  type Silo,
} from '../src/wire/index.js';
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

/** Every entry of the log, as it is hashed, oldest first. */
export async function* logEntries(client: AdminClient, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const pages = pagesOf(async (pageToken) => {
    const { entries, nextPageToken } = await client.listEntries({ pageSize: 1000, pageToken }, signal);
    return { items: entries, nextPageToken };
  });
  for await (const { entry } of pages) yield entry;
}

/** Successors of rosters behind an epoch, oldest first. */
export async function allSuccessors(client: AdminClient, behind: bigint, signal: AbortSignal): Promise<SignedRoster[]> {
  const rosters: SignedRoster[] = [];
  let bytes = 0;
  for (let afterEpoch = behind; ; ) {
    const { successors, rosterEpoch } = await client.getServerInfo({ afterEpoch }, signal);
    for (const one of successors) bytes += encode(SignedRoster, one).length;
    if (bytes > CHAIN_BYTES) throw badAnswer('the coordinator gives more rosters than a chain may have.');
    rosters.push(...successors);
    const last = successors.at(-1);
    if (last === undefined) return rosters;
    const { epoch } = decode(Roster, 'roster', last.roster, LIMITS.manifestBytes);
    if (epoch >= rosterEpoch) return rosters;
    if (epoch <= afterEpoch) throw badAnswer('the coordinator gives rosters that were not asked for.');
    afterEpoch = epoch;
  }
}

async function all<T>(page: GivePage<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pagesOf(page)) items.push(item);
  return items;
}

type GivePage<T> = (token: string) => Promise<{ items: T[]; nextPageToken: string }>;

async function* pagesOf<T>(page: GivePage<T>): AsyncGenerator<T, void> {
  let token = '';
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const next = await page(token);
    yield* next.items;
    if (next.nextPageToken === '') return;
    token = next.nextPageToken;
  }
  throw badAnswer('the coordinator gives page after page without an end.');
}
