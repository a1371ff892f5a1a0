// What the transparency log says of a job over time, for a report: the checkpoint that each attempt rested on, and the newest one.

import { hex, isoTime } from '../../src/base/index.js';
import { headOf } from '../../src/protocol/index.js';
import { openKeptCheckpoint } from '../../src/audit/index.js';
import { decodeEntry } from '../../src/transcript/index.js';
import { AttemptStart, decode, Envelope } from '../../src/wire/index.js';
import { logEntries } from '../lists.js';
import type { Session } from '../session.js';

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
    /** Silos whose cosignatures verify. */
    readonly cosignedBy: readonly string[];
    /** Entries of the log at that moment. */
    readonly logSize: number;
  };
}

/** Cosignatures are verified. Undefined where the consortium keeps no log, or no checkpoint has a quorum yet. */
export async function checkpointHistory(
  { client, roster }: Pick<Session, 'client' | 'roster'>,
  jobId: string,
  signal: AbortSignal,
): Promise<CheckpointHistory | undefined> {
  const newest = await client.getCheckpoint({ jobId }, signal).catch((error: unknown) => {
    if ((error as { readonly code?: unknown }).code === 'admin/no-log') return undefined;
    throw error;
  });
  if (newest === undefined) return undefined;
  const { size, root, cosigned } = openKeptCheckpoint(roster, newest.note);
  const uses: CheckpointUse[] = [];
  for await (const entry of logEntries(client, signal)) {
    const use = useIn(entry, jobId);
    if (use !== undefined) uses.push(use);
  }
  return {
    uses,
    newest: { size, root: hex(root), cosignedBy: [...cosigned.keys()].sort(), logSize: Number(newest.logSize) },
  };
}

function useIn(bytes: Uint8Array, jobId: string): CheckpointUse | undefined {
  const { kind, job, round, attempt, recordedAt, body } = decodeEntry(bytes);
  if (kind !== 'attempt' || job !== jobId || body.form !== 'envelope') return undefined;
  const { payload } = decode(Envelope, 'signed envelope', body.bytes);
  const { checkpoint } = decode(AttemptStart, 'start', payload);
  const { size, root } = headOf(checkpoint);
  return { round, attempt, at: isoTime(recordedAt), size, root: hex(root) };
}
