// The offline verifier on a job from whose roster a silo was removed: it follows the chain of rosters along the log.

import { beforeAll, describe, expect, it } from 'vitest';
import { judgeEvidence, PART } from '../../../src/audit/index.js';
import { decodeEntry, encodeEntry } from '../../../src/transcript/index.js';
import { decode, encode, EvidenceRecord, RosterChain, RoundPlan } from '../../../src/wire/index.js';
import { conspired, entriesIn, partsOf, resigned, verifyParts, type Parts } from '../../support/audit/forge.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../../support/audit/trained.js';
import { signedSuccessor, successorOf, without } from '../../support/memory/rosters.js';

let trained: Trained;
let parts: Parts;

beforeAll(async () => {
  trained = await trainedConsortium(undefined, undefined, undefined, 'silo-003');
  parts = partsOf(await bundleOfJob(trained));
});

const verify = (changed: Parts) => verifyParts(changed, { rosterHash: trained.consortium.founded.roster.hash });
const codes = (changed: Parts): string[] => verify(changed).findings.map(({ code }) => code);

function withChain(change: (chain: RosterChain) => RosterChain): Parts {
  const chain = decode(RosterChain, 'chain', parts.get(PART.successors)!, 1 << 20);
  return new Map(parts).set(PART.successors, encode(RosterChain, change(chain)));
}

/** Everybody conspires to have another log. */
const forged = (change: (entries: Uint8Array[]) => Uint8Array[]): Parts =>
  conspired(parts, trained.consortium.founded, Math.ceil(trained.consortium.time / 1000), change);

describe('a bundle of a job from which a silo was removed', () => {
  it('passes, and says from where on it was gone', () => {
    const verdict = verify(parts);
    expect(verdict.findings).toEqual([]);
    expect(verdict.word).toBe('PASS');
    expect(verdict.rounds.map(({ cohort }) => cohort)).toEqual([4, 3, 3, 3]);
    expect(verdict.notes.filter((note) => note.startsWith('epoch 1 of the roster'))).toEqual([
      expect.stringMatching(/^epoch 1 of the roster from entry \d+ on: without silo-003\.$/),
    ]);
  });

  it('fails without the rosters, or with a signature too few', () => {
    expect(codes(new Map([...parts].filter(([name]) => name !== PART.successors)))).toContain('verify/roster-order');
    const few = withChain(({ rosters: [one] }) => ({ rosters: [{ ...one!, signatures: one!.signatures.slice(1) }] }));
    expect(codes(few)).toEqual(['roster/too-few']);
  });

  it('fails with a plan of the roster before', () => {
    const changed = forged((entries) =>
      entries.map((entry) => {
        const { kind, round } = decodeEntry(entry);
        if (kind !== 'plan' || round !== 2) return entry;
        return resigned(entry, trained.consortium.founded.coordinatorKey, RoundPlan, () => ({ rosterEpoch: 0n }));
      }),
    );
    expect(codes(changed)).toContain('plan/roster-epoch');
  });

  it('fails with a message of the silo after it was gone', () => {
    const changed = forged((entries) => {
      const isHello = (entry: Uint8Array): boolean => {
        const { kind, subject } = decodeEntry(entry);
        return kind === 'hello' && subject === 'silo/silo-003';
      };
      const last = decodeEntry(entries.at(-1)!);
      return [...entries, encodeEntry({ ...decodeEntry(entries.find(isHello)!), recordedAt: last.recordedAt })];
    });
    expect(codes(changed)).toContain('envelope/unknown-signer');
  });

  it('has an entry for each signature, and for the roster that came of them', () => {
    const kinds = entriesIn(parts).map((entry) => decodeEntry(entry).kind);
    expect(kinds.filter((kind) => kind === 'successor')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'roster')).toHaveLength(2);
  });
});

describe('two successors of one roster, signed by one silo', () => {
  it('convict it, and the same one signed again does not', () => {
    const { roster } = trained.consortium.founded;
    const judged = (...gone: string[]) => {
      const envelopes = gone.map((silo, k) =>
        signedSuccessor(roster, 'silo-000', successorOf(roster, without(silo)), { atUnixMs: BigInt(k) }),
      );
      const record = { version: 1, code: 'roster/second-successor', detail: '', atUnixMs: 1n, envelopes };
      const bytes = encode(EvidenceRecord, {
        ...record,
        keys: undefined,
        dealers: undefined,
        ciphertexts: [],
        shares: [],
      });
      return judgeEvidence(roster, bytes).convictions.map(({ accused, charge }) => `${accused} ${charge}`);
    };
    expect(judged('silo-001', 'silo-002')).toEqual(['silo/silo-000 second-successor']);
    expect(judged('silo-001', 'silo-001')).toEqual([]);
  });
});
