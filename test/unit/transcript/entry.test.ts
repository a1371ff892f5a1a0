// Log entries: one encoding for each, every kind with what it demands, and a refusal by name for everything else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, hex, LIMITS, unixMs, utf8 } from '../../../src/base/index.js';
import { encode, Envelope, EntryKind, LogEntry as Message } from '../../../src/wire/index.js';
import {
  decodeEntry,
  encodeEntry,
  ENTRY_KINDS,
  ENTRY_VERSION,
  type BodyForm,
  type EntryKindName,
  type LogEntry,
} from '../../../src/transcript/index.js';

const refusal = (code: string): Error => expect.objectContaining({ code }) as Error;
const KINDS = Object.keys(ENTRY_KINDS) as EntryKindName[];
const SUBJECT = 'silo/hospital-a';

function envelopeOf(type: string, change: Partial<Envelope> = {}): Uint8Array {
  return encode(Envelope, {
    payload: utf8('payload'),
    signer: SUBJECT,
    signature: new Uint8Array(64).fill(3),
    type,
    ...change,
  });
}

function bodyOf(kind: EntryKindName, form: BodyForm): Uint8Array {
  const rule: { type?: string } = ENTRY_KINDS[kind];
  if (form === 'digest') return new Uint8Array(32).fill(9);
  return form === 'envelope' ? envelopeOf(rule.type!) : utf8('statement');
}

function sample(kind: EntryKindName, form: BodyForm = ENTRY_KINDS[kind].forms[0]): LogEntry {
  const depth = Math.max(0, ['consortium', 'job', 'round', 'attempt'].indexOf(ENTRY_KINDS[kind].depth));
  return {
    kind,
    job: depth >= 1 ? 'heart-study' : '',
    round: depth >= 2 ? 7 : 0,
    attempt: depth >= 3 ? 1 : 0,
    subject: SUBJECT,
    recordedAt: unixMs(1_767_225_600_000),
    body: { form, bytes: bodyOf(kind, form) },
  };
}

const ACK = sample('ack');
/** The message behind an entry, changed and encoded whatever it holds. */
function raw({ kind, ...change }: Omit<Partial<Message>, 'kind'> & { readonly kind?: number }): Uint8Array {
  const message = Message.decode(encodeEntry(ACK));
  return encode(Message, { ...message, ...change, kind: kind ?? message.kind });
}

describe('an entry', () => {
  it('of every kind and form comes back as it was', () => {
    for (const kind of KINDS)
      for (const form of ENTRY_KINDS[kind].forms) {
        const entry = sample(kind, form);
        expect(decodeEntry(encodeEntry(entry))).toStrictEqual(entry);
      }
  });

  it('has these bytes', () => {
    const entry: LogEntry = { ...sample('release'), body: { form: 'digest', bytes: new Uint8Array(32).fill(9) } };
    expect(hex(encodeEntry(entry))).toBe(
      `080110101a0b${hex(utf8('heart-study'))}20072801320f${hex(utf8(SUBJECT))}3880d0eab6b7334a20${'09'.repeat(32)}`,
    );
  });

  it('of the protocol’s list is there, each under a number of its own', () => {
    const numbers = KINDS.map((kind) => ENTRY_KINDS[kind].number);
    expect(new Set(numbers).size).toBe(numbers.length);
    const all = Object.values(EntryKind)
      .map(Number)
      .filter((value) => value > 0);
    expect(numbers.sort((a, b) => a - b)).toStrictEqual(all);
  });

  it('of a release holds a digest and nothing else: shares never enter a log', () => {
    const shares = { form: 'envelope', bytes: envelopeOf('unmask') } as const;
    expect(() => encodeEntry({ ...sample('release'), body: shares })).toThrow(refusal('transcript/bad-entry'));
    expect(KINDS.filter((kind) => (ENTRY_KINDS[kind].forms as readonly string[]).includes('envelope'))).not.toContain(
      'release',
    );
  });

  it('is at most 65,535 bytes', () => {
    expect(LIMITS.logEntryBytes).toBe(0xffff);
    const withBytes = (length: number): LogEntry => ({
      ...sample('erasure'),
      body: { form: 'statement', bytes: new Uint8Array(length).fill(1) },
    });
    const overhead = encodeEntry(withBytes(60_000)).length - 60_000;
    const largest = encodeEntry(withBytes(0xffff - overhead));
    expect(largest.length).toBe(0xffff);
    expect(decodeEntry(largest).body.bytes.length).toBe(0xffff - overhead);
    expect(() => encodeEntry(withBytes(0x10000 - overhead))).toThrow(refusal('transcript/entry-too-large'));
    expect(() => decodeEntry(new Uint8Array(0x10000))).toThrow(refusal('transcript/entry-too-large'));
  });
});

describe('what is refused', () => {
  it('is another version, before anything else is judged', () => {
    for (const version of [0, 2, 7])
      expect(() => decodeEntry(raw({ version, kind: 99 }))).toThrow(refusal('transcript/entry-version'));
    expect(() => decodeEntry(concat(raw({ version: 2 }), Uint8Array.of(0xa0, 0x06, 1)))).toThrow(
      refusal('transcript/entry-version'),
    );
  });

  it('is a kind that is not known', () => {
    for (const kind of [0, 34, 1000, -1])
      expect(() => decodeEntry(raw({ kind: kind }))).toThrow(refusal('transcript/entry-kind'));
  });

  it('is every other spelling of the same entry', () => {
    const good = encodeEntry(ACK);
    const spelled: Record<string, Uint8Array> = {
      'an unknown field': concat(good, Uint8Array.of(0xa0, 0x06, 1)),
      'a field twice': concat(Uint8Array.of(0x08, ENTRY_VERSION), good),
      'a long varint': concat(Uint8Array.of(0x08, 0x81, 0x00), good.subarray(2)),
      'another order': concat(good.subarray(2), good.subarray(0, 2)),
      'a default written out': concat(good, Uint8Array.of(0x28, 0x00)),
      'two bodies': concat(good, Uint8Array.of(0x4a, 0x01, 0x07)),
      'bytes behind it': concat(good, Uint8Array.of(0)),
      'its end missing': good.subarray(0, -1),
      'a name that is not UTF-8': good.map((byte, k) => (k === 6 ? 0xff : byte)),
    };
    for (const [why, bytes] of Object.entries(spelled))
      expect(() => decodeEntry(bytes), why).toThrow(refusal('transcript/entry-malformed'));
    expect(() => decodeEntry(new Uint8Array(0))).toThrow(refusal('transcript/entry-version'));
  });

  const body = (form: BodyForm, bytes: Uint8Array): Partial<LogEntry> => ({ body: { form, bytes } });
  const BAD: Record<string, [Partial<LogEntry>, RegExp]> = {
    'no job': [{ job: '' }, /job, round and attempt/],
    'no round': [{ round: 0 }, /job, round and attempt/],
    'an attempt': [{ attempt: 1 }, /job, round and attempt/],
    'a job that is no name': [{ job: 'Heart Study' }, /job is no name/],
    'a round of a fraction': [{ round: 1.5 }, /round is no number/],
    'a round beyond 32 bits': [{ round: 2 ** 32 }, /round is no number/],
    'no subject': [{ subject: '' }, /subject is not/],
    'a subject of an unknown role': [{ subject: 'witness/a' }, /subject is not/],
    'a subject that is no name': [{ subject: 'silo/A b' }, /subject is not/],
    'a coordinator with a name': [{ subject: 'coordinator/a' }, /subject is not/],
    'a subject other than the signer': [{ subject: 'silo/hospital-b' }, /signer of its envelope/],
    'a body of another form': [body('statement', utf8('x')), /is a statement, not envelope or digest/],
    'an empty body': [body('envelope', new Uint8Array(0)), /empty/],
    'a short digest': [body('digest', new Uint8Array(31)), /32 bytes/],
    'an envelope of another type': [body('envelope', envelopeOf('abort')), /signed as "abort", not "ack"/],
    'an envelope that does not parse': [body('envelope', Uint8Array.of(0x0a, 0xff)), /does not parse/],
    'an envelope with an unknown field': [
      body('envelope', concat(envelopeOf('ack'), Uint8Array.of(0xa0, 0x06, 1))),
      /not canonically encoded/,
    ],
    'a short signature': [body('envelope', envelopeOf('ack', { signature: new Uint8Array(63) })), /64 bytes/],
  };
  for (const [why, [change, words]] of Object.entries(BAD))
    it(`is an entry with ${why}, to write and to read`, () => {
      const bad = { ...ACK, ...change };
      expect(() => encodeEntry(bad)).toThrow(refusal('transcript/bad-entry'));
      expect(() => encodeEntry(bad)).toThrow(words);
      if (!Number.isInteger(bad.round) || bad.round > 0xffff_ffff) return;
      const bytes = raw({
        ...bad,
        kind: EntryKind.ENTRY_KIND_ACK,
        body: { $case: bad.body.form, value: bad.body.bytes },
      });
      expect(() => decodeEntry(bytes)).toThrow(refusal('transcript/bad-entry'));
    });

  it('is an entry without a body, or of a time that is none', () => {
    expect(() => decodeEntry(raw({ body: undefined }))).toThrow(refusal('transcript/bad-entry'));
    expect(() => decodeEntry(raw({ recordedAtUnixMs: 2n ** 53n }))).toThrow(refusal('transcript/bad-entry'));
  });

  it('lists every field that is wrong', () => {
    expect(() =>
      encodeEntry({ ...ACK, job: 'A', attempt: 3, subject: 'x', body: { form: 'digest', bytes: utf8('x') } }),
    ).toThrow(/job is no name; job, round and attempt .*; subject is not .*; its digest/);
  });

  it('is what lies below something that is not set', () => {
    const action = sample('operator-action');
    const deep = { ...action, job: 'heart-study', round: 2, attempt: 1 };
    for (const good of [action, { ...deep, attempt: 0 }, { ...deep, round: 0, attempt: 0 }, deep])
      expect(decodeEntry(encodeEntry(good))).toStrictEqual(good);
    for (const bad of [
      { ...deep, job: '' },
      { ...deep, round: 0 },
      { ...action, attempt: 1 },
      { ...action, round: 1 },
    ])
      expect(() => encodeEntry(bad)).toThrow(refusal('transcript/bad-entry'));
  });

  it('is never anything but a refusal by code, and what is read has one spelling', () => {
    const start = KINDS.map((kind) => encodeEntry(sample(kind)));
    let read = 0;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(255), (pick, at, byte) => {
        const bytes = Uint8Array.from(start[pick % start.length]!);
        bytes[at % bytes.length] = byte;
        let entry: LogEntry;
        try {
          entry = decodeEntry(bytes);
        } catch (cause) {
          expect((cause as { code?: string }).code).toMatch(/^transcript\//);
          return;
        }
        read++;
        expect(hex(encodeEntry(entry))).toBe(hex(bytes));
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});
