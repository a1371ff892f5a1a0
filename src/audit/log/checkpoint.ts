// The checkpoint that a bundle ends with: whose log, which root, and who stands behind it. Signatures are verified with the
// implementation that silos and coordinator do not use.

import { equalBytes, hex, isCodedError, type Hash, type SiloId } from '../../base/index.js';
import { verifyNoteSignatureIndependently } from '../../crypto/index.js';
import { epochsOf, logKeyOf, Refusal, witnessKeyOf, type Manifest, type Roster } from '../../protocol/index.js';
import { cosignedBy, openCheckpoint, witnessQuorum } from '../../transcript/index.js';
import { VerifyError } from '../errors.js';
import type { Ledger } from '../verdict.js';
import type { LogTree } from './tree.js';

export interface KeptCheckpoint {
  readonly size: number;
  readonly root: Hash;
  /** Seconds since 1970 by each witness's own clock. */
  readonly cosigned: ReadonlyMap<SiloId, number>;
}

/** Throws VerifyError `verify/no-log`, Refusal `log/note`. */
export function openKeptCheckpoint(roster: Roster, note: Uint8Array): KeptCheckpoint {
  const log = logKeyOf(roster);
  if (log === undefined) throw new VerifyError('verify/no-log', 'the roster names no log key.');
  try {
    const opened = openCheckpoint(note, log, verifyNoteSignatureIndependently);
    // Those who were removed, too: a name keeps its key, and the quorum is one of the silos that a manifest names.
    const witnesses = [...epochsOf(roster)].flatMap((epoch) =>
      [...epoch.members.keys()].map((silo) => ({ silo, key: witnessKeyOf(epoch, silo) })),
    );
    const silos = new Map(witnesses.map(({ silo, key }) => [key.name, silo]));
    const keys = [...new Map(witnesses.map(({ key }) => [key.name, key])).values()];
    const cosigned = new Map<SiloId, number>();
    for (const { name, atSeconds } of cosignedBy(opened.note, keys, verifyNoteSignatureIndependently)) {
      const silo = silos.get(name);
      if (silo !== undefined) cosigned.set(silo, atSeconds);
    }
    return { size: opened.checkpoint.size, root: opened.checkpoint.root, cosigned };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    throw new Refusal('log/note', error.message);
  }
}

/** The entries of the bundle are those of the checkpoint, and of the one that was kept from earlier. */
export function checkRoots(tree: LogTree, checkpoint: KeptCheckpoint, previous: KeptCheckpoint | undefined): void {
  if (tree.size !== checkpoint.size || !equalBytes(tree.root(tree.size), checkpoint.root))
    throw new Refusal(
      'log/root',
      `the ${String(tree.size)} entries of the bundle do not give the root of the checkpoint of ${String(checkpoint.size)}.`,
    );
  if (previous === undefined) return;
  if (previous.size > tree.size)
    throw new Refusal(
      'log/shrunk',
      `the log has ${String(tree.size)} entries, the earlier checkpoint had ${String(previous.size)}.`,
    );
  const root = tree.root(previous.size);
  if (!equalBytes(root, previous.root))
    throw new Refusal(
      'log/fork',
      `at size ${String(previous.size)} the log has the root ${hex(root)}, the earlier checkpoint ${hex(previous.root)}.`,
    );
}

/** Enough silos of the job have cosigned that two logs would need an honest silo which cosigned both. */
export function checkQuorum(ledger: Ledger, manifest: Manifest, { cosigned }: KeptCheckpoint): void {
  const count = manifest.silos.filter((silo) => cosigned.has(silo)).length;
  const needed = witnessQuorum(manifest.silos.length, manifest.maxMalicious);
  if (count < needed)
    throw new Refusal(
      'log/no-quorum',
      `${String(count)} of ${String(manifest.silos.length)} silos of job "${manifest.jobId}" have cosigned the checkpoint, ${String(needed)} are needed.`,
    );
  ledger.counts.cosignatures = Math.max(ledger.counts.cosignatures, cosigned.size);
}
