// The transparency log as the protocol sees it (docs/protocol.md §4): a checkpoint with its cosignatures, opened against the roster.

import { asSiloId, fromUtf8, hex, isCodedError, utf8, type Hash, type SiloId } from '../../base/index.js';
import {
  cosignedBy,
  formatCheckpoint,
  logName,
  openCheckpoint,
  parseCheckpoint,
  witnessName,
  witnessQuorum,
  type NoteKey,
} from '../../transcript/index.js';
import type { Manifest } from '../manifest.js';
import { demand, demanded, Refusal } from '../rejection.js';
import type { Roster } from '../roster.js';
import { epochsOf } from '../succession.js';
import { verifierFor } from './verified-notes.js';

/** A size of the log and the root of its tree. */
export interface LogHead {
  readonly size: number;
  readonly root: Hash;
}

export interface OpenedCheckpoint extends LogHead {
  /** The checkpoint's body, which attempts and advertisements name. */
  readonly body: Uint8Array;
  readonly note: Uint8Array;
  /** Members of the roster, or of one that it followed, who have validly cosigned it. */
  readonly cosigners: ReadonlySet<SiloId>;
}

/** Throws Refusal `log/note`, also where the consortium keeps no log. */
export function openNote(roster: Roster, note: Uint8Array): OpenedCheckpoint {
  const log = demanded(logKeyOf(roster), 'log/note', 'the consortium keeps no transparency log.');
  const verify = verifierFor(roster);
  const opened = orRefused('log/note', () => openCheckpoint(note, log, verify));
  const witnesses = witnessesOf(roster);
  const cosigners = new Set<SiloId>();
  for (const { name } of cosignedBy(opened.note, [...witnesses.values()], verify)) {
    const silo = witnesses.get(name)?.silo;
    if (silo !== undefined) cosigners.add(silo);
  }
  const { size, root } = opened.checkpoint;
  return { size, root, body: utf8(opened.note.text), note, cosigners };
}

/** Size and root that a checkpoint's body names. Says nothing about who stands behind it. Throws Refusal `log/note`. */
export function headOf(body: Uint8Array): LogHead {
  return orRefused('log/note', () => parseCheckpoint(textOf(body)));
}

function textOf(body: Uint8Array): string {
  try {
    return fromUtf8(body);
  } catch {
    throw new Refusal('log/note', 'the body of a checkpoint is not UTF-8.');
  }
}

/** The body of the checkpoint of this head. */
export function bodyOf(roster: Roster, { size, root }: LogHead): Uint8Array<ArrayBuffer> {
  return utf8(formatCheckpoint({ origin: logName(roster.consortiumId), size, root }));
}

export function logKeyOf(roster: Roster): NoteKey | undefined {
  return roster.logKey === undefined ? undefined : { name: logName(roster.consortiumId), key: roster.logKey };
}

/** The key with which a silo cosigns, as the roster has it. */
export function witnessKeyOf(roster: Roster, silo: SiloId): NoteKey {
  const member = demanded(roster.members.get(silo), 'log/note', `the roster has no silo "${silo}".`);
  return { name: witnessName(roster.consortiumId, silo), key: member.cosigningKey };
}

interface Witness extends NoteKey {
  readonly silo: SiloId;
}

const witnessesKnown = new WeakMap<Roster, ReadonlyMap<string, Witness>>();

/** By the names of their keys; made once for each roster. */
function witnessesOf(roster: Roster): ReadonlyMap<string, Witness> {
  const known = witnessesKnown.get(roster);
  if (known !== undefined) return known;
  const made = new Map<string, Witness>();
  // Those who were removed, too: quorums count the silos of a manifest, and an old checkpoint keeps its witnesses. A name keeps its key.
  for (const epoch of epochsOf(roster))
    for (const id of epoch.members.keys()) {
      const silo = asSiloId(id);
      if (silo === undefined) continue;
      const key = witnessKeyOf(epoch, silo);
      made.set(key.name, { ...key, silo });
    }
  witnessesKnown.set(roster, made);
  return made;
}

/** Whether enough silos of the job stand behind a checkpoint: two forks would need an honest one that cosigned both. */
export function hasQuorum(manifest: Manifest, maxMalicious: number, cosigners: ReadonlySet<SiloId>): boolean {
  const count = manifest.silos.filter((silo) => cosigners.has(silo)).length;
  return count >= witnessQuorum(manifest.silos.length, maxMalicious);
}

export function demandSameRoot(known: string | undefined, { size, root }: LogHead): void {
  demand(
    known === undefined || known === hex(root),
    'log/fork',
    `at size ${String(size)} the log has the root ${hex(root)}, this silo knows ${known ?? ''}: two different logs are being shown.`,
  );
}

/** What another room refuses becomes a refusal of the protocol. */
export function orRefused<T>(code: 'log/note' | 'log/entry', act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!isCodedError(error)) throw error;
    throw new Refusal(code, error.message);
  }
}
