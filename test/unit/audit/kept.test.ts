// What a verifier makes of charges, of votes to go back, and of what was erased on schedule.

import { beforeAll, describe, expect, it } from 'vitest';
import { memorySource, PART, verifyBundle, type VerifyOptions } from '../../../src/audit/index.js';
import { unixMs } from '../../../src/base/index.js';
import { seal, siloSigner } from '../../../src/protocol/index.js';
import { decodeEntry, encodeEntry, type EntryKindName } from '../../../src/transcript/index.js';
import { Ack, ActionStatement, ChargeStatement, decode, encode, Rollback } from '../../../src/wire/index.js';
import {
  changedEntry,
  conspired,
  entriesIn,
  partsOf,
  resigned,
  verifyParts,
  type Parts,
} from '../../support/audit/forge.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../../support/audit/trained.js';

let trained: Trained;
let parts: Parts;
let options: VerifyOptions;
let seconds: number;

beforeAll(async () => {
  trained = await trainedConsortium();
  parts = partsOf(await bundleOfJob(trained));
  options = { rosterHash: trained.consortium.founded.roster.hash };
  seconds = Math.ceil(trained.consortium.time / 1000);
});

const codes = (changed: Parts): string[] => verifyParts(changed, options).findings.map(({ code }) => code);
const forged = (change: (entries: Uint8Array[]) => Uint8Array[], from = parts): Parts =>
  conspired(from, trained.consortium.founded, seconds, change);
const without = (changed: Parts, name: string): Parts => new Map([...changed].filter(([other]) => other !== name));

/** Indices of the last round's entries of a kind: nothing that comes later names a checkpoint behind them. */
function lastOf(kind: EntryKindName): number {
  const entries = entriesIn(parts);
  const at = entries.findLastIndex((bytes) => decodeEntry(bytes).kind === kind);
  expect(at).toBeGreaterThan(0);
  return at;
}

const replaced = (index: number, change: (entry: Uint8Array) => Uint8Array): Parts =>
  forged((entries) => entries.map((entry, k) => (k === index ? change(entry) : entry)));

describe('charges', () => {
  it('are counted, each with the Ack that it stands behind', () => {
    const { word, counts } = verifyParts(parts, options);
    expect([word, counts.charges]).toEqual(['PASS', counts.acks]);
  });

  it.each([
    ['with another count', (c: ChargeStatement) => ({ ...c, rounds: c.rounds + 1n })],
    ['to another data set', (c: ChargeStatement) => ({ ...c, dataSet: new Uint8Array(32) })],
  ])('%s than the silo signed are found', (_, change) => {
    const changed = replaced(lastOf('ledger-charge'), (entry) =>
      changedEntry(entry, ({ body }) => {
        const charge = decode(ChargeStatement, 'charge', body.bytes);
        return { body: { form: 'statement', bytes: encode(ChargeStatement, change(charge)) } };
      }),
    );
    expect(codes(changed)).toEqual(['verify/ledger']);
  });

  it('that are left out, or of another silo, are found', () => {
    const at = lastOf('ledger-charge') - 2;
    expect(decodeEntry(entriesIn(parts)[at]!).kind).toBe('ledger-charge');
    expect(codes(forged((entries) => entries.filter((_, k) => k !== at)))).toEqual(['verify/ledger']);
    const foreign = replaced(at, (entry) => changedEntry(entry, () => ({ subject: 'silo/silo-003' })));
    const subject = decodeEntry(entriesIn(parts)[at]!).subject;
    expect(subject).not.toBe('silo/silo-003');
    expect(new Set(codes(foreign))).toEqual(new Set(['verify/ledger']));
  });

  it('that a silo signed itself do not go back', () => {
    const { founded } = trained.consortium;
    const at = lastOf('ledger-charge');
    const changed = forged((entries) =>
      entries.map((entry, k) => {
        if (k === at - 1) {
          const { subject } = decodeEntry(entry);
          const silo = founded.silos.find((one) => `silo/${one}` === subject)!;
          return resigned(entry, founded.keyOf(silo), Ack, ({ charge }) => ({ charge: { ...charge!, rounds: 1n } }));
        }
        if (k !== at) return entry;
        return changedEntry(entry, ({ body }) => {
          const charge = decode(ChargeStatement, 'charge', body.bytes);
          return { body: { form: 'statement', bytes: encode(ChargeStatement, { ...charge, rounds: 1n }) } };
        });
      }),
    );
    expect(codes(changed)).toContain('verify/ledger');
  });
});

describe('an erasure', () => {
  const erasure = (action: string, round = 1): Uint8Array =>
    encodeEntry({
      kind: 'erasure',
      job: trained.jobId,
      round,
      attempt: 0,
      subject: 'coordinator',
      recordedAt: unixMs(trained.consortium.time),
      body: {
        form: 'statement',
        bytes: encode(ActionStatement, { action, reason: '', objects: [new Uint8Array(32).fill(1)] }),
      },
    });
  const input = () => PART.input(trained.jobId, 1, 1);

  it('of a served input leaves the bundle verifiable, with a note of what rests on Acks', () => {
    const erased = forged((entries) => [...entries, erasure('erase-missing-inputs')]);
    const verdict = verifyParts(without(erased, input()), options);
    expect(verdict.findings).toEqual([]);
    expect(verdict.notes.join()).toContain('its fingerprints rest on their Acks');
    expect(verdict.counts.fingerprints).toBeLessThan(verifyParts(parts, options).counts.fingerprints);
    // Whoever exported before has it, and it counts.
    expect(verifyParts(erased, options).notes.join()).not.toContain('rest on their Acks');
  });

  it('is no excuse where the log holds none, or one of another round', () => {
    expect(codes(without(parts, input()))).toEqual(['verify/missing-part']);
    const other = forged((entries) => [...entries, erasure('erase-missing-inputs', 2)]);
    expect(codes(without(other, input()))).toEqual(['verify/missing-part']);
  });

  it('before a threshold has verified the round is found', () => {
    const first = entriesIn(parts).findIndex((bytes) => decodeEntry(bytes).kind === 'ack');
    const early = forged((entries) => [
      ...entries.slice(0, first),
      changedEntry(erasure('erase-missing-inputs'), () => ({ recordedAt: decodeEntry(entries[first]!).recordedAt })),
      ...entries.slice(first),
    ]);
    expect(codes(early)[0]).toBe('verify/entry-order');
  });

  it('of sums and transcript makes the bundle incomplete by name', () => {
    const erased = forged((entries) => [...entries, erasure('erase-vectors', 2)]);
    const gone = [PART.transcript(trained.jobId, 2), PART.sum(trained.jobId, 2), PART.opened(trained.jobId, 2)];
    const verdict = verifyParts(gone.reduce(without, erased), options);
    expect([verdict.word, verdict.findings[0]?.code]).toEqual(['INCOMPLETE', 'verify/erased']);
    expect(verdict.findings[0]?.entries).toEqual([entriesIn(erased).length - 1]);
  });
});

describe('a job that went back to an earlier model', () => {
  it('passes with the votes in the log, and fails with one too few or for another model', async () => {
    const back = await trainedConsortium(undefined, undefined, (consortium) => {
      consortium.run(2);
      const { manifest, previousResultHash } = consortium.job;
      expect(consortium.job.open).toBeUndefined();
      for (const silo of consortium.silos.slice(0, 3)) {
        const envelope = seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'rollback', Rollback, {
          siloId: silo.id,
          manifestHash: manifest.hash,
          afterHash: previousResultHash,
          baseRound: 0,
          baseModelHash: manifest.initialModelHash,
          reason: 'the model of round 2 is worse',
          atUnixMs: 1n,
        });
        consortium.receive(silo.id, { envelope, ciphertexts: [] });
      }
      expect(consortium.job.rollbacks).toHaveLength(1);
    });
    const bytes = await bundleOfJob(back);
    const verdict = verifyBundle(memorySource(bytes), options);
    expect(verdict.findings).toEqual([]);
    // One round was abandoned: a silo had opened another sum of the same model, and acknowledges the Abandon with Aborts.
    expect(verdict.rounds.map(({ outcome }) => outcome).sort()).toEqual(['abandoned', 'applied', 'applied', 'applied']);
    expect(verdict.word).toBe('PASS');
    const own = partsOf(bytes);
    const atSeconds = Math.ceil(back.consortium.time / 1000);
    const { founded } = back.consortium;
    const vote = entriesIn(own).findIndex((entry) => decodeEntry(entry).kind === 'rollback');
    const fewer = conspired(own, founded, atSeconds, (entries) => entries.filter((_, k) => k !== vote));
    expect(codes(fewer)).toContain('plan/previous-result');
    const silo = founded.silos.find((one) => `silo/${one}` === decodeEntry(entriesIn(own)[vote]!).subject)!;
    const other = conspired(own, founded, atSeconds, (entries) =>
      entries.map((entry, k) =>
        k === vote
          ? resigned(entry, founded.keyOf(silo), Rollback, () => ({ manifestHash: new Uint8Array(32) }))
          : entry,
      ),
    );
    expect(codes(other)[0]).toBe('vote/invalid');
  });
});
