// The second verifier of bundles, in Python and written from the documents alone, on what `veilsum-audit export` writes of a job of four
// silos: a fingerprint that does not come, a silo that drops out, a second attempt, a closing round. Skipped without python3.

import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hex, unixMs } from '../../src/base/index.js';
import { decodeEntry, type EntryKindName } from '../../src/transcript/index.js';
import {
  ChargeStatement,
  decode,
  encode,
  JobManifest,
  Outcome,
  RosterChain,
  RoundPlan,
  RoundResult,
  type MessageType,
} from '../../src/wire/index.js';
import {
  bundleOf,
  changedEntry,
  conspired,
  entriesIn,
  partsOf,
  resigned,
  verifyParts,
} from '../support/audit/forge.js';
import {
  bundleOfJob,
  trainedAlongGraph,
  trainedConsortium,
  trainedOnStatistics,
  trainedWithNoise,
  type Trained,
} from '../support/audit/trained.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SCRIPT = join(import.meta.dirname, 'verify.py');
const ROUNDS = 'jobs/heart-train/rounds';
const found = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;

let trained: Trained;
let bundle: Buffer;
let rosterHash: Uint8Array;

beforeAll(async () => {
  if (!found) return;
  trained = await trainedConsortium();
  bundle = Buffer.from(await bundleOfJob(trained));
  rosterHash = trained.consortium.founded.roster.hash;
});

interface Verdict {
  readonly verdict: string;
  readonly findings: readonly { readonly code: string }[];
  readonly incomplete: readonly string[];
  readonly counts: Record<string, number>;
}

function verify(bytes: Uint8Array, ...more: string[]): Promise<{ verdict: Verdict; exit: number }> {
  const file = join(temporaryFolder(), 'job.bundle');
  writeFileSync(file, bytes);
  const hash = more.includes('--roster-hash') ? [] : ['--roster-hash', hex(rosterHash)];
  return new Promise((resolve, reject) => {
    execFile('python3', [SCRIPT, file, '--json', ...hash, ...more], (error, stdout, stderr) => {
      if (stderr !== '') reject(new Error(stderr));
      else resolve({ verdict: JSON.parse(stdout) as Verdict, exit: error === null ? 0 : Number(error.code) });
    });
  });
}

/** The bundle with one part changed; `undefined` leaves it out. */
function changed(name: string, change: (bytes: Buffer) => Uint8Array | undefined): Uint8Array {
  const parts = partsOf(bundle);
  const bytes = parts.get(name);
  expect(bytes, name).toBeDefined();
  const after = change(Buffer.from(bytes!));
  if (after === undefined) parts.delete(name);
  else parts.set(name, after);
  return bundleOf(parts);
}

const flip =
  (k: number) =>
  (bytes: Buffer): Buffer => {
    bytes[k < 0 ? bytes.length + k : k]! ^= 1;
    return bytes;
  };

/** A note of which only the first cosignature is left, behind the log's own signature. */
const oneCosignature = (note: Buffer): Buffer =>
  Buffer.from(note.toString().split('\n').slice(0, 6).concat('').join('\n'));

/** The entry with its message changed, and signed again by the coordinator. */
const again =
  <T>(codec: MessageType<T>, change: (message: T) => Partial<T>) =>
  (entry: Uint8Array): Uint8Array =>
    resigned(entry, trained.consortium.founded.coordinatorKey, codec, change);

describe.skipIf(!found)('a verifier in Python, on a job from whose roster a silo was removed', () => {
  let parts: Map<string, Uint8Array>;
  beforeAll(async () => {
    parts = partsOf(
      Buffer.from(await bundleOfJob(await trainedConsortium(undefined, undefined, undefined, 'silo-003'))),
    );
  });

  it('follows the chain of rosters', async () => {
    const { verdict } = await verify(bundleOf(parts));
    expect(verdict).toMatchObject({ verdict: 'PASS', findings: [], incomplete: [] });
    expect(verdict.counts).toMatchObject({ epochs: 1, rounds: 4, cosignatures: 3 });
  });

  it('finds a chain that is left out or has a signature too few', async () => {
    const without = new Map([...parts].filter(([name]) => name !== 'roster-successors'));
    expect((await verify(bundleOf(without))).verdict.findings.map(({ code }) => code)).toContain('verify/roster-order');
    const { rosters } = decode(RosterChain, 'chain', parts.get('roster-successors')!, 1 << 20);
    const shorter = rosters.map((one) => ({ ...one, signatures: one.signatures.slice(1) }));
    const few = new Map(parts).set('roster-successors', encode(RosterChain, { rosters: shorter }));
    expect((await verify(bundleOf(few))).verdict.findings.map(({ code }) => code)).toEqual(['roster/too-few']);
  });
});

describe.skipIf(!found)('a verifier in Python', () => {
  it('passes the bundle with nothing left unchecked', async () => {
    const { verdict, exit } = await verify(bundle);
    expect(verdict).toMatchObject({ verdict: 'PASS', findings: [], incomplete: [] });
    expect(verdict.counts).toMatchObject({
      rounds: 4,
      attempts: 5,
      transcripts: 4,
      sums: 4,
      acks: 16,
      cosignatures: 4,
      models: 6,
    });
    expect(exit).toBe(0);
  });

  it('computes the same with its own Ed25519, X25519 and AES, and finds the same', async () => {
    expect((await verify(bundle, '--pure')).verdict).toEqual((await verify(bundle)).verdict);
    const { verdict } = await verify(changed(`${ROUNDS}/1/transcript`, flip(200)), '--pure');
    expect(verdict).toMatchObject({ verdict: 'FAIL' });
  });

  it('is only content with the roster that was asked for', async () => {
    const { verdict, exit } = await verify(bundle, '--roster-hash', '00'.repeat(32));
    expect(verdict.findings.map(({ code }) => code)).toEqual(['roster/wrong-hash']);
    expect(exit).toBe(7);
  });

  it.each<[string, string, () => Uint8Array]>([
    ['a damaged file', 'verify/bundle', () => flip(20_000)(Buffer.from(bundle))],
    ['a file that is cut off', 'verify/bundle', () => bundle.subarray(0, -1)],
    ['another log', 'log/root', () => changed('log/entries', flip(20))],
    ['a checkpoint of another size', 'log/note', () => changed('checkpoint', flip(9))],
    ['a checkpoint that one silo cosigned', 'log/no-quorum', () => changed('checkpoint', oneCosignature)],
    ['a sum that is not the signed one', 'result/sum', () => changed(`${ROUNDS}/2/sum`, flip(0))],
    ['an opened sum that masks do not give', 'result/opened', () => changed(`${ROUNDS}/2/opened`, flip(-4))],
    ['an input that was not sent', 'result/missing-input', () => changed(`${ROUNDS}/1/inputs/1`, flip(5))],
    [
      'a transcript of another round',
      'verify/not-logged',
      () => changed(`${ROUNDS}/1/transcript`, () => partsOf(bundle).get(`${ROUNDS}/2/transcript`)),
    ],
    [
      'acknowledgements of another round',
      'verify/ack',
      () => changed(`${ROUNDS}/3/reactions`, () => partsOf(bundle).get(`${ROUNDS}/2/reactions`)),
    ],
    ['another forward model', 'verify/first-model', () => changed('jobs/heart-train/forward-model', flip(-1))],
    [
      'a trained model that is not the last state',
      'verify/final-model',
      () => changed('jobs/heart-train/final-model', flip(-60)),
    ],
  ])('finds %s: %s', async (_, code, tampered) => {
    const { verdict, exit } = await verify(tampered());
    expect(verdict.findings.map((finding) => finding.code)).toContain(code);
    expect([verdict.verdict, exit]).toEqual(['FAIL', 7]);
  });

  // The log rewritten, and signed anew by everybody who signs it.
  const zero = new Uint8Array(32);
  it.each<[string, string, EntryKindName, (entry: Uint8Array) => Uint8Array]>([
    ['nothing', '', 'plan', (entry) => entry],
    [
      'a secret',
      'result/commitment',
      'result',
      again(RoundResult, ({ selfSecrets: [first, ...rest] }) => ({
        selfSecrets: [{ ...first!, secret: zero }, ...rest],
      })),
    ],
    ['an outcome', 'result/outcome', 'result', again(RoundResult, () => ({ outcome: Outcome.OUTCOME_REJECTED }))],
    ['a model', 'result/outcome', 'result', again(RoundResult, () => ({ newModelHash: zero }))],
    [
      'a charge',
      'verify/ledger',
      'ledger-charge',
      (entry) =>
        changedEntry(entry, ({ body }) => {
          const charge = decode(ChargeStatement, 'charge', body.bytes);
          return {
            body: { form: 'statement', bytes: encode(ChargeStatement, { ...charge, rounds: charge.rounds + 1n }) },
          };
        }),
    ],
    ['a threshold', 'plan/threshold', 'plan', again(RoundPlan, () => ({ threshold: 2 }))],
    [
      'where a plan follows from',
      'plan/previous-result',
      'plan',
      again(RoundPlan, () => ({ previousResultHash: zero })),
    ],
  ])(
    'finds what everybody conspires to change, and judges like the other verifier: %s',
    async (_, code, kind, change) => {
      const { founded, time } = trained.consortium;
      const parts = partsOf(bundle);
      const last = entriesIn(parts).findLastIndex((entry) => decodeEntry(entry).kind === kind);
      const forged = conspired(parts, founded, Math.ceil(time / 1000), (all) =>
        all.map((entry, k) => (k === last ? change(entry) : entry)),
      );
      const { verdict } = await verify(bundleOf(forged));
      expect(verdict.verdict).toBe(verifyParts(forged, { rosterHash }).word);
      expect(verdict.findings.map((finding) => finding.code).concat('')).toContain(code);
      expect(verdict.findings.length > 0).toBe(code !== '');
    },
  );

  it('finds a survivor set that was closed before the time of a silo was up, like the other verifier', async () => {
    const { founded, time, job } = trained.consortium;
    const parts = partsOf(bundle);
    const indexOf = (kind: EntryKindName): number =>
      entriesIn(parts).findIndex((one) => decodeEntry(one).kind === kind && decodeEntry(one).round === 2);
    const { recordedAt: from } = decodeEntry(entriesIn(parts)[indexOf('t2')]!);
    const { absentAfterMs, maskMs } = job.manifest.message.timeouts!;
    const closedAfter = (ms: number) =>
      conspired(parts, founded, Math.ceil(time / 1000), (all) =>
        all.map((entry, k) =>
          k === indexOf('t3') ? changedEntry(entry, () => ({ recordedAt: unixMs(from + ms) })) : entry,
        ),
      );
    for (const [early, isFound] of [
      [1, true],
      [0, false],
    ] as const) {
      const forged = closedAfter(Math.min(absentAfterMs, maskMs) - early);
      const { verdict } = await verify(bundleOf(forged));
      const code = 'verify/closed-early';
      expect(verdict.findings.some((finding) => finding.code === code)).toBe(isFound);
      expect(verifyParts(forged, { rosterHash }).findings.some((finding) => finding.code === code)).toBe(isFound);
    }
  });

  describe('of a job that masks along a regular graph', () => {
    let along: Trained;
    let parts: Map<string, Uint8Array>;
    const judge = async (changed: Map<string, Uint8Array>) => {
      const hash = along.consortium.founded.roster.hash;
      const { verdict } = await verify(bundleOf(changed), '--roster-hash', hex(hash));
      expect(verdict.verdict).toBe(verifyParts(changed, { rosterHash: hash }).word);
      return verdict;
    };

    beforeAll(async () => {
      along = await trainedAlongGraph();
      parts = partsOf(Buffer.from(await bundleOfJob(along)));
    });

    it('passes it with nothing left unchecked, a silo that dropped out and its masks among it', async () => {
      const verdict = await judge(parts);
      expect(verdict).toMatchObject({ verdict: 'PASS', findings: [], incomplete: [] });
      expect(verdict.counts).toMatchObject({ rounds: 4, transcripts: 4, sums: 4 });
    });

    it.each([
      ['another degree', { degree: 6 }],
      ['another number of absent', { absent: 0 }],
    ])('finds a plan with %s, like the other verifier', async (_, change) => {
      const { founded, time } = along.consortium;
      const last = entriesIn(parts).findLastIndex((entry) => decodeEntry(entry).kind === 'plan');
      const forged = conspired(parts, founded, Math.ceil(time / 1000), (all) =>
        all.map((entry, k) =>
          k === last
            ? resigned(entry, founded.coordinatorKey, RoundPlan, ({ graph }) => ({ graph: { ...graph!, ...change } }))
            : entry,
        ),
      );
      const verdict = await judge(forged);
      expect(verdict.findings.map(({ code }) => code)).toContain('plan/graph');
    });
  });

  it('turns the sums of a job with noise back, and finds a model that was made without that', async () => {
    const noised = await trainedWithNoise();
    const { founded } = noised.consortium;
    expect(noised.consortium.job.manifest.noise?.rotated).toBe(true);
    const parts = partsOf(Buffer.from(await bundleOfJob(noised)));
    const { verdict } = await verify(bundleOf(parts), '--roster-hash', hex(founded.roster.hash), '--pure');
    expect(verdict).toMatchObject({ verdict: 'PASS', findings: [], incomplete: [] });
    expect(verdict.counts).toMatchObject({ rounds: 3, sums: 3 });
    expect(verifyParts(parts, { rosterHash: founded.roster.hash }).word).toBe('PASS');
  });

  describe('of a job whose features are standardised', () => {
    let standardised: Trained;
    let parts: Map<string, Uint8Array>;
    const judge = async (changed: Map<string, Uint8Array>) => {
      const hash = standardised.consortium.founded.roster.hash;
      const { verdict } = await verify(bundleOf(changed), '--roster-hash', hex(hash));
      expect(verdict.verdict).toBe(verifyParts(changed, { rosterHash: hash }).word);
      return verdict;
    };

    beforeAll(async () => {
      standardised = await trainedOnStatistics();
      parts = partsOf(Buffer.from(await bundleOfJob(standardised)));
    });

    it('passes it, with the first model that follows from the statistics', async () => {
      const verdict = await judge(parts);
      expect(verdict).toMatchObject({ verdict: 'PASS', findings: [], incomplete: [] });
      // Of the first model, two rounds, the round that only measures, and the file that was handed out.
      expect(verdict.counts).toMatchObject({ rounds: 4, sums: 4, models: 5 });
    });

    it('finds a manifest that names another first model, like the other verifier', async () => {
      const { founded, time } = standardised.consortium;
      const forged = conspired(parts, founded, Math.ceil(time / 1000), (all) =>
        all.map((entry) => {
          const { kind, job } = decodeEntry(entry);
          if (kind !== 'manifest' || job !== standardised.jobId) return entry;
          return resigned(entry, founded.operatorKey, JobManifest, () => ({ initialModelHash: zero }));
        }),
      );
      const verdict = await judge(forged);
      expect(verdict.findings.map(({ code }) => code)).toContain('verify/first-model');
    });
  });

  it('compares with a checkpoint that was kept', async () => {
    const kept = join(temporaryFolder(), 'kept');
    const note = Buffer.from(partsOf(bundle).get('checkpoint')!);
    writeFileSync(kept, note);
    expect((await verify(bundle, '--previous', kept)).verdict.verdict).toBe('PASS');
    writeFileSync(kept, note.toString().replace('test/log', 'other/log'));
    expect((await verify(bundle, '--previous', kept)).verdict.findings).toMatchObject([{ code: 'log/note' }]);
  });

  it('says what is missing', async () => {
    const { verdict, exit } = await verify(changed(`${ROUNDS}/2/sum`, () => undefined));
    expect([verdict.verdict, verdict.findings, exit]).toEqual(['INCOMPLETE', [], 8]);
    expect(verdict.incomplete.join('\n')).toContain(`${ROUNDS}/2/sum`);
  });
});
