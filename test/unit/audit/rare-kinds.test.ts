// Kinds of entries that an undisturbed job has none of: each is put into the last round of a job as whoever signs it would, which passes,
// and then with another place, another signer, another signature and other contents.

import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifyOptions } from '../../../src/audit/index.js';
import { unixMs, utf8 } from '../../../src/base/index.js';
import { hash, LABELS, sha256, type SignedType, type SigningKey } from '../../../src/crypto/index.js';
import { seal, siloSigner } from '../../../src/protocol/index.js';
import { decodeEntry, encodeEntry, type EntryKindName, type LogEntry } from '../../../src/transcript/index.js';
import {
  Abandon,
  Abort,
  ActionStatement,
  ClosingStatement,
  Complaint,
  ComplaintAnswer,
  decode,
  Decline,
  Dispute,
  encode,
  Envelope,
  Exclude,
  Protest,
  Rollback,
  RoundPlan,
  type MessageType,
} from '../../../src/wire/index.js';
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

const LAST = 4;

let trained: Trained;
let parts: Parts;
let options: VerifyOptions;

beforeAll(async () => {
  trained = await trainedConsortium();
  parts = partsOf(await bundleOfJob(trained));
  options = { rosterHash: trained.consortium.founded.roster.hash };
});

interface Rare {
  /** Behind the first entry of this kind of the last round; behind everything when left out. */
  readonly after?: EntryKindName;
  readonly place: 'consortium' | 'job' | 'round' | 'attempt';
  readonly subject?: 'silo' | 'coordinator';
  readonly body: () => LogEntry['body'];
  /** What is wrong in a message that its signer signed: changed field, and how it is found. */
  readonly says?: readonly (readonly [change: object, code: RegExp])[];
  readonly codec?: MessageType<object>;
}

const indexIn = (entries: readonly Uint8Array[], kind: EntryKindName): number =>
  entries.findIndex((bytes) => {
    const entry = decodeEntry(bytes);
    return entry.kind === kind && entry.round === LAST;
  });
const entryOf = (kind: EntryKindName): LogEntry => decodeEntry(entriesIn(parts)[indexIn(entriesIn(parts), kind)]!);
const silo = () => trained.consortium.founded.silos[1]!;
const rid = (): Uint8Array => hash(LABELS.plan, decode(Envelope, 'plan', entryOf('plan').body.bytes).payload);
const transcriptOf = (kind: 't1' | 't2'): Uint8Array =>
  decode(ClosingStatement, kind, entryOf(kind).body.bytes).transcript;
const resultHash = (): Uint8Array =>
  hash(LABELS.result, decode(Envelope, 'result', entryOf('result').body.bytes).payload);
const manifestHash = (): Uint8Array => trained.consortium.job.manifest.hash;
const other = new Uint8Array(32).fill(9);

function signed<T>(type: SignedType, codec: MessageType<T>, message: T): LogEntry['body'] {
  const { founded } = trained.consortium;
  const coordinator = type === 'abandon';
  const key: SigningKey = coordinator ? founded.coordinatorKey : founded.keyOf(silo());
  const envelope = seal(key, coordinator ? 'coordinator' : siloSigner(silo()), type, codec, message);
  return { form: 'envelope', bytes: encode(Envelope, envelope) };
}

const certificate = (): LogEntry['body'] => ({ form: 'digest', bytes: sha256(utf8('certificate')) });
const stated = (action: string) => (): LogEntry['body'] => ({
  form: 'statement',
  bytes: encode(ActionStatement, { action, reason: '', objects: [manifestHash()] }),
});

const complaint = () => ({ t1: transcriptOf('t1'), index: 1, dealer: 0, ciphertextHash: other, headerHash: other });
const answer = () => ({ t1: transcriptOf('t1'), index: 1, recipient: 0, ephemeralSecret: other });
const protest = () => ({ t2: transcriptOf('t2'), receipt: undefined, request: undefined });
const decline = () => ({ rid: rid(), attempt: 1, code: 'data/unreadable' });
const dispute = () => ({ resultHash: resultHash(), code: 'result/sum', evidence: [] });
const exclude = () => ({
  siloId: silo(),
  manifestHash: manifestHash(),
  excluded: trained.consortium.founded.silos[2]!,
  reason: 'its inputs are rejected',
  atUnixMs: 1n,
});
const rollback = () => ({
  siloId: silo(),
  manifestHash: manifestHash(),
  afterHash: trained.consortium.job.previousResultHash,
  baseRound: 0,
  baseModelHash: trained.consortium.job.manifest.initialModelHash,
  reason: 'the model is worse',
  atUnixMs: 1n,
});
const PLACE = /^verify\/entry-place$/;
const VOTE = /^vote\/invalid$/;

const RARE: Partial<Record<EntryKindName, Rare>> = {
  'certificate-issued': { place: 'consortium', body: certificate },
  'certificate-revoked': { place: 'consortium', body: certificate },
  complaint: {
    after: 't1',
    place: 'attempt',
    codec: Complaint,
    body: () => signed('complaint', Complaint, complaint()),
    says: [
      [{ t1: other }, PLACE],
      [{ index: 2 }, PLACE],
    ],
  },
  answer: {
    after: 't1',
    place: 'attempt',
    codec: ComplaintAnswer,
    body: () => signed('answer', ComplaintAnswer, answer()),
    says: [
      [{ t1: other }, PLACE],
      [{ index: 2 }, PLACE],
    ],
  },
  protest: {
    after: 't2',
    place: 'attempt',
    codec: Protest,
    body: () => signed('protest', Protest, protest()),
    says: [[{ t2: other }, PLACE]],
  },
  decline: {
    after: 't2',
    place: 'attempt',
    codec: Decline,
    body: () => signed('decline', Decline, decline()),
    says: [
      [{ rid: other }, PLACE],
      [{ attempt: 2 }, PLACE],
    ],
  },
  dispute: {
    after: 'result',
    place: 'round',
    codec: Dispute,
    body: () => signed('dispute', Dispute, dispute()),
    says: [[{ resultHash: other }, /^verify\/ack$/]],
  },
  exclude: {
    place: 'job',
    codec: Exclude,
    body: () => signed('exclude', Exclude, exclude()),
    says: [
      [{ siloId: 'silo-002' }, VOTE],
      [{ manifestHash: other }, VOTE],
      [{ excluded: 'silo-009' }, VOTE],
    ],
  },
  rollback: {
    place: 'job',
    codec: Rollback,
    body: () => signed('rollback', Rollback, rollback()),
    says: [
      [{ siloId: 'silo-002' }, VOTE],
      [{ manifestHash: other }, VOTE],
    ],
  },
  export: { place: 'round', subject: 'coordinator', body: stated('export-transcript') },
  'auditor-read': { place: 'job', subject: 'coordinator', body: stated('read') },
  erasure: { place: 'round', subject: 'coordinator', body: stated('erase-uploads') },
};
const KINDS = Object.keys(RARE) as EntryKindName[];
const SIGNED = KINDS.filter((kind) => RARE[kind]!.codec !== undefined);

function rareEntry(kind: EntryKindName, body = RARE[kind]!.body()): LogEntry {
  const { place, subject } = RARE[kind]!;
  const depth = ['consortium', 'job', 'round', 'attempt'].indexOf(place);
  return {
    kind,
    job: depth > 0 ? trained.jobId : '',
    round: depth > 1 ? LAST : 0,
    attempt: depth > 2 ? 1 : 0,
    subject: subject === 'coordinator' ? 'coordinator' : siloSigner(silo()),
    recordedAt: unixMs(trained.consortium.time),
    body,
  };
}

/** The log with this entry in it, and its place. */
function placed(entry: LogEntry, entries: Uint8Array[]): { readonly entries: Uint8Array[]; readonly at: number } {
  const { after } = RARE[entry.kind]!;
  const at = after === undefined ? entries.length : indexIn(entries, after) + 1;
  const before = at === entries.length ? trained.consortium.time : decodeEntry(entries[at - 1]!).recordedAt;
  return { entries: entries.toSpliced(at, 0, encodeEntry({ ...entry, recordedAt: unixMs(before) })), at };
}

const signedLog = (entry: LogEntry): Parts =>
  conspired(
    parts,
    trained.consortium.founded,
    Math.ceil(trained.consortium.time / 1000),
    (all) => placed(entry, all).entries,
  );
const verdictOf = (entry: LogEntry) => verifyParts(signedLog(entry), options);
const codesOf = (entry: LogEntry): string[] => verdictOf(entry).findings.map(({ code }) => code);

describe('an entry of a rare kind', () => {
  it.each(KINDS)('passes as it should be: %s', (kind) => {
    expect(verdictOf(rareEntry(kind)).findings).toEqual([]);
  });

  it.each(KINDS)('with any field changed is found by the root, or is no entry any more: %s', (kind) => {
    const whole = signedLog(rareEntry(kind));
    const entries = entriesIn(whole);
    const at = placed(rareEntry(kind), entriesIn(parts)).at;
    const entry = decodeEntry(entries[at]!);
    const changes: Partial<LogEntry>[] = [
      { subject: `${entry.subject}x` },
      { recordedAt: unixMs(entry.recordedAt + 1) },
      ...(entry.job === '' ? [] : [{ job: `${entry.job}x` }]),
      ...(entry.round === 0 ? [] : [{ round: entry.round + 1 }]),
      ...(entry.attempt === 0 ? [] : [{ attempt: entry.attempt + 1 }]),
    ];
    for (const change of changes)
      try {
        const changed = entries.with(
          at,
          changedEntry(entries[at]!, () => change),
        );
        expect([kind, change, verifyParts(withEntries(whole, changed), options).findings[0]?.code]).toEqual([
          kind,
          change,
          'log/root',
        ]);
      } catch (error) {
        // No entry at all.
        expect(error).toMatchObject({ code: 'transcript/bad-entry' });
      }
    // Each byte of it, its version and kind and body among them.
    for (let k = 0; k < entries[at]!.length; k += 5) {
      const flipped = entries.with(
        at,
        entries[at]!.map((byte, j) => (j === k ? byte ^ 1 : byte)),
      );
      expect(verifyParts(withEntries(whole, flipped), options).findings[0]?.code).toMatch(
        /^(log\/root|transcript\/(entry-malformed|entry-version|entry-kind|bad-entry))$/,
      );
    }
  });

  it.each(SIGNED)('is found though everybody signs the log, with a changed signature or another signer: %s', (kind) => {
    const { bytes } = RARE[kind]!.body();
    const envelope = decode(Envelope, 'envelope', bytes);
    const forged = { ...envelope, signature: envelope.signature.with(10, envelope.signature[10]! ^ 1) };
    const body = { form: 'envelope', bytes: encode(Envelope, forged) } as const;
    expect(codesOf(rareEntry(kind, body))).toContain('envelope/bad-signature');
    const stranger = { ...rareEntry(kind), subject: siloSigner(trained.consortium.founded.silos[2]!) };
    expect(() => codesOf(stranger)).toThrow(expect.objectContaining({ code: 'transcript/bad-entry' }));
  });

  it.each(SIGNED)('is found though its signer signed it so: %s', (kind) => {
    const { says = [], codec, body } = RARE[kind]!;
    expect(says.length).toBeGreaterThan(0);
    const { type, payload } = decode(Envelope, 'envelope', body().bytes);
    const message = decode(codec!, 'message', payload);
    for (const [change, code] of says) {
      const entry = rareEntry(kind, signed(type as SignedType, codec!, { ...message, ...change }));
      const found = codesOf(entry);
      expect([kind, change, found.some((one) => code.test(one))]).toEqual([kind, change, true]);
    }
  });

  it.each(['complaint', 'answer', 'protest', 'decline'] as const)(
    'of another attempt or round is found: %s',
    (kind) => {
      for (const change of [{ attempt: 2 }, { round: 3 }])
        expect(codesOf({ ...rareEntry(kind), ...change })[0]).toMatch(/^verify\/entry-(place|order)$/);
    },
  );

  it.each(['complaint', 'answer', 'protest', 'decline'] as const)('that stands there twice is found: %s', (kind) => {
    const twice = conspired(parts, trained.consortium.founded, Math.ceil(trained.consortium.time / 1000), (all) => {
      const { entries, at } = placed(rareEntry(kind), all);
      return entries.toSpliced(at, 0, entries[at]!);
    });
    expect(verifyParts(twice, options).findings.map(({ code }) => code)).toEqual(['verify/second-entry']);
  });

  it('that says of itself another place than its own is found in jobs that are not audited, too', () => {
    const plan = entriesIn(parts)[indexIn(entriesIn(parts), 'plan')]!;
    const elsewhere = changedEntry(plan, () => ({ job: 'job-9' }));
    const changed = conspired(parts, trained.consortium.founded, Math.ceil(trained.consortium.time / 1000), (all) => [
      ...all,
      changedEntry(elsewhere, () => ({ recordedAt: unixMs(trained.consortium.time) })),
    ]);
    expect(verifyParts(changed, options).findings.map(({ code }) => code)).toEqual(['verify/entry-place']);
  });
});

describe('an Abandon', () => {
  /** The last round is given up in place of its result. */
  const abandoned = (change: Partial<Abandon> = {}, tail: (all: Uint8Array[]) => Uint8Array[] = (all) => all): Parts =>
    conspired(parts, trained.consortium.founded, Math.ceil(trained.consortium.time / 1000), (all) => {
      const from = indexIn(all, 't1');
      const message = { jobId: trained.jobId, rid: rid(), round: LAST, reason: 'round/timeout', proof: [], ...change };
      const entry = { ...decodeEntry(all[from]!), kind: 'abandon', attempt: 0, subject: 'coordinator' } as const;
      return tail([...all.slice(0, from), encodeEntry({ ...entry, body: signed('abandon', Abandon, message) })]);
    });
  const reactions = (): string => `jobs/${trained.jobId}/rounds/${String(LAST)}/reactions`;
  const without = (changed: Parts): Parts => new Map([...changed].filter(([name]) => name !== reactions()));
  const codes = (changed: Parts): string[] => verifyParts(without(changed), options).findings.map(({ code }) => code);

  it('ends its round, and a second end is found', () => {
    expect(codes(abandoned()).filter((code) => code !== 'verify/final-model')).toEqual([]);
    const twice = abandoned({}, (all) => [...all, all.at(-1)!]);
    expect(codes(twice)).toContain('verify/second-terminal');
  });

  it('is followed by one Abort of each silo, whether it had aborted before or not, and no second one', () => {
    const abort = (code: string) => ({
      jobId: trained.jobId,
      rid: rid(),
      attempt: 1,
      phase: 'mask',
      code,
      evidence: [],
    });
    const entry = (at: Uint8Array, code: string): Uint8Array =>
      encodeEntry({
        ...decodeEntry(at),
        kind: 'abort',
        attempt: 1,
        subject: siloSigner(silo()),
        body: signed('abort', Abort, abort(code)),
      });
    const aborting = (before: string[], behind: string[]): Parts =>
      abandoned({}, (all) => {
        const end = all.at(-1)!;
        return [...all.slice(0, -1), ...before.map((c) => entry(end, c)), end, ...behind.map((c) => entry(end, c))];
      });
    const second = (changed: Parts): boolean => codes(changed).includes('verify/second-entry');
    expect(codes(aborting(['attempt/superseded'], ['round/abandoned']))).toEqual(codes(abandoned()));
    expect(second(aborting(['attempt/superseded', 'attempt/again'], []))).toBe(true);
    expect(second(aborting([], ['round/abandoned', 'round/again']))).toBe(true);
  });

  it.each([
    ['the round', { rid: other }],
    ['its number', { round: LAST - 1 }],
    ['the job', { jobId: 'job-9' }],
  ])('that names another %s is found', (_, change) => {
    expect(codes(abandoned(change))[0]).toBe('verify/entry-place');
  });
});

it('every kind of the list is tried here, in the test of common kinds, or has none that is written', () => {
  const common = entriesIn(parts).map((bytes) => decodeEntry(bytes).kind);
  // Rosters that follow one another have their own tests; headers are bound by T1 to T3.
  const elsewhere: EntryKindName[] = ['abandon', 'successor', 'advertise', 'share-header', 'masked-header'];
  expect([...new Set([...common, ...KINDS, ...elsewhere])]).toHaveLength(33);
  expect(decode(RoundPlan, 'plan', decode(Envelope, 'plan', entryOf('plan').body.bytes).payload).round).toBe(LAST);
});
