// What the transparency log says of a job over time, for a report: the checkpoint that each attempt rested on, and the newest one.

import { hex, isoTime } from '../../src/base/index.js';
import { headOf } from '../../src/protocol/index.js';
import { decodeEntry, parseCheckpoint, parseNote } from '../../src/transcript/index.js';
import type { AdminClient } from '../../src/transport/index.js';
import { AttemptStart, decode, Envelope } from '../../src/wire/index.js';

export interface CheckpointUse {
  readonly round: number;
  readonly attempt: number;
  /** When the attempt began. */
  readonly at: string;
  /** Entries behind the checkpoint that it rested on. */
  readonly size: number;
  /** Of that checkpoint. */
  readonly root: string;
}

export interface CheckpointHistory {
  readonly uses: readonly CheckpointUse[];
  readonly newest: {
    readonly size: number;
    readonly root: string;
    /** Names on the cosignatures. */
    readonly cosignedBy: readonly string[];
    /** Entries of the log at that moment. */
    readonly logSize: number;
  };
}

const PAGE = 1000;

/** Undefined where the consortium keeps no log, or no checkpoint has a quorum yet. */
export async function checkpointHistory(
  client: AdminClient,
  jobId: string,
  signal: AbortSignal,
): Promise<CheckpointHistory | undefined> {
  const newest = await client.getCheckpoint({ jobId }, signal).catch((error: unknown) => {
    if ((error as { readonly code?: unknown }).code === 'admin/no-log') return undefined;
    throw error;
  });
  if (newest === undefined) return undefined;
  const note = parseNote(newest.note);
  const { size, root } = parseCheckpoint(note.text);
  const cosignedBy = note.signatures.flatMap(({ name }) => /\/silo\/(.+)$/.exec(name)?.[1] ?? []).sort();
  const uses: CheckpointUse[] = [];
  let pageToken = '';
  do {
    const page = await client.listEntries({ pageSize: PAGE, pageToken }, signal);
    for (const { entry } of page.entries) {
      const use = useIn(entry, jobId);
      if (use !== undefined) uses.push(use);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return { uses, newest: { size, root: hex(root), cosignedBy, logSize: Number(newest.logSize) } };
}

function useIn(bytes: Uint8Array, jobId: string): CheckpointUse | undefined {
  const { kind, job, round, attempt, recordedAt, body } = decodeEntry(bytes);
  if (kind !== 'attempt' || job !== jobId || body.form !== 'envelope') return undefined;
  const { payload } = decode(Envelope, 'signed envelope', body.bytes);
  const { checkpoint } = decode(AttemptStart, 'start', payload);
  const { size, root } = headOf(checkpoint);
  return { round, attempt, at: isoTime(recordedAt), size, root: hex(root) };
}
