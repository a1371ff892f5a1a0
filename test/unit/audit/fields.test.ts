// One field of one entry of each kind: changed in a bundle it does not fit the checkpoint, and changed by everybody who signs the log it
// does not fit what was signed.

import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifyOptions } from '../../../src/audit/index.js';
import { unixMs } from '../../../src/base/index.js';
import { decodeEntry, type EntryKindName, type LogEntry } from '../../../src/transcript/index.js';
import { encode, EntryKind, LogEntry as Message } from '../../../src/wire/index.js';
import {
  changedEntry,
  conspired,
  entriesIn,
  partsOf,
  verifyParts,
  withEntries,
  type Parts,
} from '../../support/audit/forge.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../../support/audit/trained.js';

let trained: Trained;
let parts: Parts;
let options: VerifyOptions;
/** Index of the last entry of each kind that the job has. */
let last: Map<EntryKindName, number>;

beforeAll(async () => {
  trained = await trainedConsortium();
  parts = partsOf(await bundleOfJob(trained));
  options = { rosterHash: trained.consortium.founded.roster.hash };
  last = new Map(entriesIn(parts).map((bytes, index) => [decodeEntry(bytes).kind, index]));
});

const first = (changed: Parts): string | undefined => verifyParts(changed, options).findings[0]?.code;
const replace = (index: number, bytes: Uint8Array) => (entries: readonly Uint8Array[]) =>
  entries.map((entry, k) => (k === index ? bytes : entry));

type Field = keyof Message &
  ('version' | 'kind' | 'job' | 'round' | 'attempt' | 'subject' | 'recordedAtUnixMs' | 'body');
const FIELDS: readonly Field[] = ['version', 'kind', 'job', 'round', 'attempt', 'subject', 'recordedAtUnixMs', 'body'];

/** The entry with one field changed, encoded whatever it says then. */
function withField(bytes: Uint8Array, field: Field): Uint8Array {
  const message = Message.decode(bytes);
  if (field === 'body') {
    const value = message.body!.value.slice();
    value[value.length - 1]! ^= 1;
    message.body = { ...message.body!, value };
  } else if (field === 'job' || field === 'subject') message[field] += 'x';
  else if (field === 'recordedAtUnixMs') message.recordedAtUnixMs += 1n;
  else if (field === 'kind') message.kind = nextKind(message.kind);
  else message[field] += 1;
  return encode(Message, message);
}

const nextKind = (kind: EntryKind): EntryKind =>
  kind === EntryKind.ENTRY_KIND_PLAN ? EntryKind.ENTRY_KIND_ACK : EntryKind.ENTRY_KIND_PLAN;

const KINDS = [
  'roster',
  'manifest',
  'approval',
  'hello',
  'plan',
  'attempt',
  't1',
  't2',
  't3',
  'consistency',
  'release',
  'result',
  'ack',
  'ledger-charge',
  'abort',
  'operator-action',
] as const satisfies readonly EntryKindName[];

describe('a changed field', () => {
  it('is tried in every kind of entry that the job has', () => {
    expect([...last.keys()].sort()).toEqual([...KINDS].sort());
  });

  it.each(KINDS)('of a %s is found by the root, or is no entry any more', (kind) => {
    const entries = entriesIn(parts);
    const index = last.get(kind)!;
    for (const field of FIELDS) {
      const code = first(withEntries(parts, replace(index, withField(entries[index]!, field))(entries)));
      expect([kind, field, code]).toEqual([
        kind,
        field,
        expect.stringMatching(/^(log\/root|transcript\/(entry-malformed|entry-version|entry-kind|bad-entry))$/),
      ]);
    }
  });

  it.each([
    ['manifest', 'envelope/bad-signature'],
    ['approval', 'envelope/bad-signature'],
    ['hello', 'envelope/bad-signature'],
    ['plan', 'envelope/bad-signature'],
    ['attempt', 'envelope/bad-signature'],
    ['t1', 'verify/other-transcript'],
    ['t2', 'verify/other-transcript'],
    ['t3', 'envelope/bad-signature'],
    ['consistency', 'envelope/bad-signature'],
    ['result', 'envelope/bad-signature'],
    ['ack', 'envelope/bad-signature'],
    ['ledger-charge', 'verify/ledger'],
    ['abort', 'envelope/bad-signature'],
  ] as const)('in the body of a %s is found though everybody signs the log again: %s', (kind, code) => {
    const index = last.get(kind)!;
    const changed = (entries: Uint8Array[]): Uint8Array[] =>
      replace(
        index,
        changedEntry(
          entries[index]!,
          ({ body }): Partial<LogEntry> => ({ body: { ...body, bytes: spoiled(kind, body.bytes) } }),
        ),
      )(entries);
    const seconds = Math.ceil(trained.consortium.time / 1000);
    const codes = verifyParts(conspired(parts, trained.consortium.founded, seconds, changed), options).findings;
    expect(codes.map((finding) => finding.code)).toContain(code);
  });

  it('of time is found only where it contradicts other clocks', () => {
    const index = last.get('ack')!;
    const seconds = Math.ceil(trained.consortium.time / 1000);
    const at = (ms: number): string | undefined =>
      first(
        conspired(parts, trained.consortium.founded, seconds, (entries) =>
          replace(
            index,
            changedEntry(entries[index]!, () => ({ recordedAt: unixMs(ms) })),
          )(entries),
        ),
      );
    expect(at(trained.consortium.time - 1000)).toBeUndefined();
    expect(at(trained.consortium.time + 3_600_000)).toBe('verify/back-dated');
  });
});

/** One byte of what is said; of an envelope, of its signature, which stands before the type. */
function spoiled(kind: EntryKindName, bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const tail: Partial<Record<EntryKindName, number>> = { t1: 1, t2: 1, 'ledger-charge': 1 };
  changed[changed.length - (tail[kind] ?? typeBytes(bytes) + 1)]! ^= 1;
  return changed;
}

/** Length of the last field of an envelope: its type, with tag and length. */
function typeBytes(bytes: Uint8Array): number {
  for (let length = 3; length < 40; length++) {
    const at = bytes.length - length - 2;
    if (bytes[at] === 0x22 && bytes[at + 1] === length) return length + 2;
  }
  throw new Error('no type');
}
