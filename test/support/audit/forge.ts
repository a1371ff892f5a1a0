// Bundles that somebody has changed: parts replaced, or a whole log rewritten and signed anew by a coordinator and silos who all conspire.
// What is found then is found by the checks themselves and not by a digest.

import { concat, labelled, u16be } from '../../../src/base/index.js';
import {
  BundleReader,
  BundleWriter,
  memorySource,
  PART,
  verifyBundle,
  type Verified,
  type VerifyOptions,
} from '../../../src/audit/index.js';
import {
  signatureLabel,
  verifySignatureIndependently,
  type SigningKey,
  type SignedType,
} from '../../../src/crypto/index.js';
import { seal } from '../../../src/protocol/index.js';
import { ValidBefore } from '../../../src/protocol/valid-before.js';
import {
  addSignature,
  CompactRange,
  cosign,
  decodeEntry,
  encodeEntry,
  formatNote,
  leafHash,
  logName,
  signCheckpoint,
  witnessName,
  type LogEntry,
} from '../../../src/transcript/index.js';
import { decode, encode, Envelope, type MessageType } from '../../../src/wire/index.js';
import type { Founded } from '../memory/founding.js';

export type Parts = Map<string, Uint8Array>;

export function partsOf(bundle: Uint8Array): Parts {
  const reader = new BundleReader(memorySource(bundle));
  return new Map([...reader.parts.keys()].map((name) => [name, reader.get(name, Infinity)]));
}

export function bundleOf(parts: Parts): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new BundleWriter((bytes) => pieces.push(Uint8Array.from(bytes)));
  for (const [name, bytes] of parts) writer.add(name, bytes);
  writer.finish();
  return concat(...pieces);
}

/** Of bundles that differ in a few bytes: what has verified in one of them is verified once in a test file. */
const memory = new ValidBefore(100_000);
const verifySignature: typeof verifySignatureIndependently = (key, type, payload, signature) =>
  memory.check([key, signature, labelled(signatureLabel(type)), payload], () =>
    verifySignatureIndependently(key, type, payload, signature),
  );

export function verifyParts(parts: Parts, options: VerifyOptions): Verified {
  return verifyBundle(memorySource(bundleOf(parts)), { verifySignature, ...options });
}

export function entriesIn(parts: Parts): Uint8Array[] {
  const bytes = parts.get(PART.entries)!;
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    entries.push(bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

/** The parts with this log, without anybody's signature on it. */
export function withEntries(parts: Parts, entries: readonly Uint8Array[]): Parts {
  return new Map(parts).set(PART.entries, concat(...entries.flatMap((entry) => [u16be(entry.length), entry])));
}

/** The note of a checkpoint of these entries, signed by the log and cosigned by these silos. */
export function noteFor(
  founded: Founded,
  entries: readonly Uint8Array[],
  atSeconds: number,
  silos: Founded['silos'] = founded.silos,
): Uint8Array {
  let range = CompactRange.EMPTY;
  for (const entry of entries) range = range.append(leafHash(entry)).range;
  const { consortiumId } = founded.roster;
  let note = signCheckpoint({ origin: logName(consortiumId), size: range.size, root: range.root() }, founded.logKey!);
  for (const silo of silos) {
    const line = cosign(note.text, witnessName(consortiumId, silo), founded.cosigningKeyOf(silo), atSeconds);
    note = addSignature(note, line);
  }
  return formatNote(note);
}

/** The log after everybody who signs it has agreed to another one. */
export function conspired(
  parts: Parts,
  founded: Founded,
  atSeconds: number,
  change: (entries: Uint8Array[]) => Uint8Array[],
): Parts {
  const entries = change(entriesIn(parts));
  return withEntries(parts, entries).set(PART.checkpoint, noteFor(founded, entries, atSeconds));
}

/** Another entry in its place. */
export function changedEntry(bytes: Uint8Array, change: (entry: LogEntry) => Partial<LogEntry>): Uint8Array {
  const entry = decodeEntry(bytes);
  return encodeEntry({ ...entry, ...change(entry) });
}

/** The entry with another message, signed anew by whoever signed it. */
export function resigned<T>(
  bytes: Uint8Array,
  key: SigningKey,
  codec: MessageType<T>,
  change: (message: T) => Partial<T>,
): Uint8Array {
  return changedEntry(bytes, ({ body }) => {
    const envelope = decode(Envelope, 'envelope', body.bytes, 1 << 20);
    const message = decode(codec, 'message', envelope.payload, 1 << 20);
    // The entry was encoded with a signed type.
    const sealed = seal(key, envelope.signer, envelope.type as SignedType, codec, { ...message, ...change(message) });
    return { body: { form: 'envelope', bytes: encode(Envelope, sealed) } };
  });
}
