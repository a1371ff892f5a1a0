// A coordinator that keeps two logs. From the first entry on that is not a Hello some silos are shown another one in its place, under
// checkpoints of its own, which those silos cosign in good faith and the silos that collude cosign beside the true ones.

import { equalBytes, fromUtf8, utf8, type Hash } from '../../src/base/index.js';
import {
  CompactRange,
  cosign,
  decodeEntry,
  formatCheckpoint,
  formatNote,
  keyId,
  leafHash,
  logName,
  parseCheckpoint,
  parseNote,
  signCheckpoint,
  witnessName,
  type NoteSignature,
} from '../../src/transcript/index.js';
import { COORDINATOR, seal } from '../../src/protocol/index.js';
import { AttemptStart, Cosign, decode, type Directive, type Envelope } from '../../src/wire/index.js';
import type { Founded } from '../support/memory/founding.js';
import { noteIn } from '../support/memory/silo.js';

/** Virtual time begins here; cosignatures carry seconds. */
const COSIGNED_AT = 1_000;

type Body = NonNullable<Directive['body']>;

export class Fork {
  readonly #cosignatures = new Map<string, Map<string, NoteSignature>>();
  #at: number | undefined;

  /** `log`: the true one, which grows. `begun`: its length when the fork was decided on. `colluding`: who cosigns both. */
  constructor(
    readonly founded: Founded,
    readonly log: readonly Uint8Array[],
    readonly begun: number,
    readonly colluding: ReadonlySet<number>,
  ) {}

  /** Entries of the other log. */
  entries(from: number, to: number): Uint8Array[] {
    const at = this.#place();
    // The roster's entry once more in the place of what is hidden.
    return this.log.slice(from, to).map((entry, k) => (from + k === at ? this.log[0]! : entry));
  }

  /** What this message says with the other log behind it; the same when it rests on what both have in common. */
  told(directive: Directive): Directive {
    const { body, sequence } = directive;
    const note = noteIn(directive);
    const other = note === undefined || note.length === 0 ? undefined : this.#note(note);
    if (body === undefined || other === undefined) return directive;
    return { sequence, body: this.#body(body, other) };
  }

  /** A cosignature of the other log: the true coordinator does not know it. */
  collect(envelope: Envelope): void {
    if (envelope.type !== 'cosign') return;
    const { checkpoint, cosignature } = decode(Cosign, 'cosign', envelope.payload);
    const silo = this.founded.silos.find((id) => envelope.signer === `silo/${id}`);
    if (silo === undefined) return;
    const text = fromUtf8(checkpoint);
    const { size, root } = parseCheckpoint(text);
    if (!this.#reaches(size) || !equalBytes(root, this.#root(size))) return;
    const key = {
      name: witnessName(this.founded.roster.consortiumId, silo),
      key: this.founded.cosigningKeyOf(silo).publicKey,
    };
    this.#linesOf(text).set(silo, { name: key.name, keyId: keyId('cosignature', key), signature: cosignature });
  }

  #place(): number | undefined {
    if (this.#at !== undefined) return this.#at;
    for (let k = this.begun; k < this.log.length && this.#at === undefined; k++)
      if (decodeEntry(this.log[k]!).kind !== 'hello') this.#at = k;
    return this.#at;
  }

  #reaches(size: number): boolean {
    const at = this.#place();
    return at !== undefined && size > at && size <= this.log.length;
  }

  #root(size: number): Hash {
    return this.entries(0, size)
      .reduce((range, entry) => range.append(leafHash(entry)).range, CompactRange.EMPTY)
      .root();
  }

  /** The checkpoint of the same size in the other log; undefined when that is the same. */
  #note(note: Uint8Array): { readonly bytes: Uint8Array; readonly text: string } | undefined {
    const { size } = parseCheckpoint(parseNote(note).text);
    if (!this.#reaches(size)) return undefined;
    const { roster, logKey } = this.founded;
    const head = { origin: logName(roster.consortiumId), size, root: this.#root(size) };
    const { text, signatures } = signCheckpoint(head, logKey!);
    const lines = this.#linesOf(text);
    for (const index of this.colluding) {
      const silo = this.founded.silos[index]!;
      const name = witnessName(roster.consortiumId, silo);
      lines.set(silo, cosign(formatCheckpoint(head), name, this.founded.cosigningKeyOf(silo), COSIGNED_AT));
    }
    return { bytes: formatNote({ text, signatures: [...signatures, ...lines.values()] }), text };
  }

  #linesOf(text: string): Map<string, NoteSignature> {
    const known = this.#cosignatures.get(text) ?? new Map<string, NoteSignature>();
    this.#cosignatures.set(text, known);
    return known;
  }

  #body(body: Body, { bytes, text }: { readonly bytes: Uint8Array; readonly text: string }): Body {
    if (body.$case === 'checkpoint') return { ...body, value: { note: bytes } };
    if (body.$case === 'result') return { ...body, value: { ...body.value, checkpoint: bytes } };
    if (body.$case === 'abandon') return { ...body, value: { ...body.value, checkpoint: bytes } };
    if (body.$case !== 'start') return body;
    const message = decode(AttemptStart, 'attempt-start', body.value.attempt!.payload);
    const changed = { ...message, checkpoint: utf8(text) };
    const attempt = seal(this.founded.coordinatorKey, COORDINATOR, 'attempt-start', AttemptStart, changed);
    return { ...body, value: { ...body.value, attempt, checkpoint: bytes } };
  }
}
