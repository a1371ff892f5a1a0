// The transparency log for operators and auditors: checkpoint, entries and proofs. Nobody needs to believe any of it: what counts is that
// it fits the roots that silos have cosigned.

import { defined } from '../../src/base/index.js';
import { newestWitnessed, noteOf, type LogState, type MadeCheckpoint } from '../../src/protocol/index.js';
import type { AdminHandlers } from '../../src/transport/index.js';
import { NumberedEntry } from '../../src/wire/index.js';
import { AdminError } from './errors.js';
import { jobNamed } from './find.js';
import { pageOf, sizeOf, startOf } from './page.js';
import type { AdminSource } from './source.js';

type LogMethod = 'getCheckpoint' | 'listEntries' | 'getInclusionProof' | 'getConsistencyProof';

export function logHandlers(source: AdminSource): Pick<AdminHandlers, LogMethod> {
  return {
    getCheckpoint: async (_caller, { jobId }) => {
      const log = logOf(source);
      const checkpoint = jobId === '' ? newest(log) : newestWitnessed(log, jobNamed(source, jobId));
      if (checkpoint === undefined)
        throw new AdminError(
          'admin/no-log',
          `no checkpoint is cosigned by a quorum of the silos of ${jobId === '' ? 'any job' : `job "${jobId}"`} yet.`,
        );
      return Promise.resolve({
        note: noteOf(checkpoint),
        size: BigInt(checkpoint.size),
        logSize: BigInt(source.log.size),
      });
    },

    listEntries: async (_caller, { first, ...request }) => {
      logOf(source);
      const list = { name: 'entries', length: source.log.size };
      const from = request.pageToken === '' ? indexIn(first, list.length) : startOf(list, request.pageToken);
      const entries: Uint8Array[] = [];
      for await (const { bytes } of source.log.entries(from, sizeOf(request))) entries.push(bytes);
      const item = (at: number): NumberedEntry => ({
        index: BigInt(at),
        entry: defined(entries[at - from], 'an entry of the log'),
      });
      const page = pageOf({ ...list, item, codec: NumberedEntry, from }, request);
      return { entries: page.items, nextPageToken: page.nextPageToken };
    },

    getInclusionProof: async (_caller, request) => {
      logOf(source);
      const size = sizeIn(source, request.size);
      const index = indexIn(request.index, size - 1);
      const hashes = [...source.log.inclusion(index, size)];
      let entry = new Uint8Array();
      for await (const { bytes } of source.log.entries(index, 1)) entry = Uint8Array.from(bytes);
      return { size: BigInt(size), root: source.log.root(size), entry, hashes };
    },

    getConsistencyProof: async (_caller, request) => {
      logOf(source);
      const to = sizeIn(source, request.to);
      const hashes = [...source.log.consistency(indexIn(request.from, to), to)];
      return Promise.resolve({ to: BigInt(to), toRoot: source.log.root(to), hashes });
    },
  };
}

function logOf(source: AdminSource): LogState {
  const { log } = source.state();
  if (log === undefined) throw new AdminError('admin/no-log', 'the roster of this consortium names no log key.');
  return log;
}

function newest({ checkpoints }: LogState): MadeCheckpoint | undefined {
  return checkpoints.findLast(({ quorumBy }) => quorumBy !== undefined);
}

/** 0 means all there are. */
function sizeIn({ log }: AdminSource, asked: bigint): number {
  return asked === 0n ? log.size : indexIn(asked, log.size);
}

function indexIn(asked: bigint, last: number): number {
  if (asked > BigInt(Math.max(last, 0)) || last < 0)
    throw new AdminError('admin/no-entry', `${String(asked)} was asked for, the log goes to ${String(last)}.`);
  return Number(asked);
}
