// The offline verifier on a bundle of a job that was trained in memory: whole it passes, and whatever is changed in it is found by name.

import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { PART, verifyBundle, memorySource, type VerifyOptions } from '../../../src/audit/index.js';
import { hex, utf8 } from '../../../src/base/index.js';
import { decodeEntry, type EntryKindName } from '../../../src/transcript/index.js';
import {
  Ack,
  AttemptStart,
  ClosingStatement,
  Consistency,
  decode,
  encode,
  JobManifest,
  RoundPlan,
  RoundResult,
  Approval,
  Hello,
  type MessageType,
} from '../../../src/wire/index.js';
import { desk } from '../auditor/desk.js';
import {
  bundleOf,
  changedEntry,
  conspired,
  entriesIn,
  noteFor,
  partsOf,
  resigned,
  verifyParts,
  withEntries,
  type Parts,
} from '../../support/audit/forge.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../../support/audit/trained.js';

let trained: Trained;
let bytes: Uint8Array;
let parts: Parts;
let options: VerifyOptions;
/** When silos cosigned, in seconds of the consortium's clock. */
let seconds: number;

// Made once, as an auditor's command makes it.
beforeAll(async () => {
  trained = await trainedConsortium();
  const { consortium } = trained;
  bytes = await bundleOfJob(trained);
  parts = partsOf(bytes);
  options = { rosterHash: consortium.founded.roster.hash };
  seconds = Math.ceil(consortium.time / 1000);
});

const codes = (changed: Parts, with_: VerifyOptions = options): string[] =>
  verifyParts(changed, with_).findings.map(({ code }) => code);

/** Index of the `nth` entry of a kind, from 0. */
function at(kind: EntryKindName, nth = 0): number {
  const found = entriesIn(parts).flatMap((entry, index) => (decodeEntry(entry).kind === kind ? [index] : []));
  expect(found.length).toBeGreaterThan(nth);
  return found[nth]!;
}

const forged = (change: (entries: Uint8Array[]) => Uint8Array[]): Parts =>
  conspired(parts, trained.consortium.founded, seconds, change);
/** Everybody conspires to have another entry at an index. */
const replaced = (index: number, change: (entry: Uint8Array) => Uint8Array): Parts =>
  forged((entries) => entries.map((entry, k) => (k === index ? change(entry) : entry)));

describe('a bundle', () => {
  it('passes as it was exported, with everything counted', () => {
    const verdict = verifyBundle(memorySource(bytes), options);
    expect(verdict.findings).toEqual([]);
    expect(verdict.word).toBe('PASS');
    expect(verdict.counts).toMatchObject({ rounds: 4, results: 4, attempts: 5, transcripts: 4, cosignatures: 4 });
    expect(verdict.rounds.map(({ survivors, attempt }) => [survivors, attempt])).toEqual([
      [4, 1],
      [3, 1],
      [4, 2],
      [4, 1],
    ]);
  });

  it('passes again when everybody signs the same log again, so that what forgeries show is the forgery', () => {
    expect(codes(forged((entries) => entries))).toEqual([]);
  });

  it.each([
    ['cut off', () => bytes.subarray(0, bytes.length - 1)],
    ['longer', () => Uint8Array.from([...bytes, 0])],
    ['without its beginning', () => bytes.subarray(1)],
    ['empty', () => new Uint8Array()],
  ])('that is %s is none', (_, changed) => {
    expect(verifyBundle(memorySource(changed()), options).findings).toMatchObject([{ code: 'verify/bundle' }]);
  });

  it('with a changed byte anywhere is refused', () => {
    for (let k = 0; k < bytes.length; k += Math.ceil(bytes.length / 60)) {
      const changed = bytes.slice();
      changed[k]! ^= 1;
      expect(verifyBundle(memorySource(changed), options).word).not.toBe('PASS');
    }
  });

  it('is only of the roster that was asked for', () => {
    expect(codes(parts, { rosterHash: new Uint8Array(32) })).toEqual(['roster/wrong-hash']);
  });

  it('is incomplete without one of its parts, which is named', () => {
    const optional = new Set([PART.finalModel(trained.jobId)]);
    for (const name of parts.keys()) {
      // One of each: rounds are alike.
      if (optional.has(name) || name.endsWith('/reactions') || /rounds\/[34]/.test(name)) continue;
      const verdict = verifyParts(new Map([...parts].filter(([other]) => other !== name)), options);

      expect([name, verdict.word, verdict.findings[0]?.code]).toEqual([name, 'INCOMPLETE', 'verify/missing-part']);
      expect(verdict.findings[0]?.message).toContain(name);
    }
    // Acks of the last round stand in the log, too: without both, too few are left.
    const last = PART.reactions(trained.jobId, 4);
    const without = (changed: Parts): Parts => new Map([...changed].filter(([name]) => name !== last));
    expect(codes(without(parts))).toEqual([]);
    const unacknowledged = forged((entries) =>
      entries.filter((bytes) => {
        const { kind, round } = decodeEntry(bytes);
        return !((kind === 'ack' || kind === 'ledger-charge') && round === 4);
      }),
    );
    const verdict = verifyParts(without(unacknowledged), options);
    expect([verdict.word, verdict.findings[0]?.code]).toEqual(['INCOMPLETE', 'verify/unconfirmed']);
  });
});

describe('parts with a changed byte', () => {
  const flipped = (name: string, k: number): Parts => {
    const changed = parts.get(name)!.slice();
    changed[k < 0 ? changed.length + k : k]! ^= 1;
    return new Map(parts).set(name, changed);
  };

  it.each([
    // A low bit: X no longer follows from it. The last one: more than the survivors could have made it.
    ['sum', /^result\/(opened|sum)$/],
    ['opened', /^result\/opened$/],
  ])('%s: %s', (part, code) => {
    for (const k of [0, -1]) expect(codes(flipped(`jobs/${trained.jobId}/rounds/2/${part}`, k))[0]).toMatch(code);
  });

  it('input of a missing member: result/missing-input', () => {
    expect(codes(flipped(PART.input(trained.jobId, 1, 1), 5))).toContain('result/missing-input');
  });

  it('forward model: verify/first-model; final model: verify/final-model', () => {
    expect(codes(flipped(PART.forwardModel(trained.jobId), -1))).toContain('verify/first-model');
    expect(codes(flipped(PART.finalModel(trained.jobId), -1))).toEqual(['verify/final-model']);
  });

  it('checkpoint: log/note, and without cosigners log/no-quorum', () => {
    expect(codes(flipped(PART.checkpoint, 0))).toEqual(['log/note']);
    const { founded } = trained.consortium;
    const alone = noteFor(founded, entriesIn(parts), seconds, founded.silos.slice(0, 2));
    expect(codes(new Map(parts).set(PART.checkpoint, alone))).toEqual(['log/no-quorum']);
  });

  it('entries, one at a time: log/root, or no entry any more', () => {
    const entries = entriesIn(parts);
    for (let k = 0; k < entries.length; k += 7) {
      const changed = entries.map((entry, i) =>
        i === k ? entry.map((b, j) => (j === entry.length - 1 ? b ^ 1 : b)) : entry,
      );
      expect(['log/root', 'transcript/entry-malformed', 'transcript/bad-entry']).toContain(
        codes(withEntries(parts, changed))[0],
      );
    }
  });

  it('transcript, another round’s: refused', () => {
    const other = parts.get(PART.transcript(trained.jobId, 3))!;
    expect(codes(new Map(parts).set(PART.transcript(trained.jobId, 2), other))).toContain('result/wrong-transcript');
  });
});

describe('a log', () => {
  it('that is shorter, longer or in another order has another root', () => {
    const entries = entriesIn(parts);
    const swapped = entries.map((entry, k) => entries[k === 5 ? 6 : k === 6 ? 5 : k] ?? entry);
    for (const changed of [entries.slice(0, -1), [...entries, entries.at(-1)!], swapped])
      expect(codes(withEntries(parts, changed))).toEqual(['log/root']);
  });

  it('that forks from or is shorter than the checkpoint of an earlier day is found', () => {
    const { founded } = trained.consortium;
    const entries = entriesIn(parts);
    const earlier = noteFor(founded, entries.slice(0, 20), 1000);
    expect(codes(parts, { ...options, previous: earlier })).toEqual([]);
    const forked = noteFor(founded, [...entries.slice(0, 19), entries[30]!], 1000);
    expect(codes(parts, { ...options, previous: forked })).toEqual(['log/fork']);
    const longer = noteFor(founded, [...entries, entries[0]!], seconds);
    expect(codes(parts, { ...options, previous: longer })).toEqual(['log/shrunk']);
  });

  it('that was made later than it says does not fit the clocks of its witnesses', () => {
    const { founded } = trained.consortium;
    const entries = entriesIn(parts);
    const lateWitness = noteFor(founded, entries.slice(0, 20), seconds + 3600);
    expect(codes(parts, { ...options, previous: lateWitness })).toContain('verify/back-dated');
    const earlyWitness = new Map(parts).set(PART.checkpoint, noteFor(founded, entries, 1));
    expect(codes(earlyWitness)).toContain('verify/back-dated');
    const backwards = replaced(at('ack'), (entry) => changedEntry(entry, () => ({ recordedAt: 1 as never })));
    expect(codes(backwards)).toContain('verify/back-dated');
  });

  it('that begins with another roster is of another consortium', () => {
    const other = replaced(0, (entry) =>
      changedEntry(entry, () => ({ body: { form: 'digest', bytes: new Uint8Array(32) } })),
    );
    expect(codes(other)[0]).toBe('verify/entry-place');
  });
});

/** Everybody who signs the log has agreed to lie; one field of one entry at a time. */
describe('a conspiracy', () => {
  const coordinator = () => trained.consortium.founded.coordinatorKey;
  const siloOf = (index: number) => {
    const { founded } = trained.consortium;
    const subject = decodeEntry(entriesIn(parts)[index]!).subject;
    return founded.keyOf(founded.silos.find((silo) => `silo/${silo}` === subject)!);
  };
  const first = (changed: Parts): string | undefined => codes(changed)[0];

  it.each(['approval', 'plan', 'attempt', 't1', 't2', 't3', 'consistency', 'release', 'result'] as const)(
    'to leave out a %s finds what rests on it standing alone',
    (kind) => {
      const changed = forged((entries) => entries.filter((_, k) => k !== at(kind)));
      if (kind !== 'release') expect(codes(changed).some((code) => code !== 'log/fork')).toBe(true);
      // Later starts and Hellos name roots of the log as it was.
      expect(codes(changed)).toContain('log/fork');
    },
  );

  it('to put an entry where it does not belong', () => {
    for (const kind of ['plan', 'attempt', 't3', 'consistency', 'result', 'ack'] as const) {
      const index = at(kind);
      const moved = replaced(index, (entry) =>
        changedEntry(entry, ({ round, attempt }) => (attempt > 0 ? { attempt: attempt + 1 } : { round: round + 1 })),
      );
      expect([kind, ['verify/entry-place', 'verify/entry-order', 'verify/ack'].includes(first(moved)!)]).toEqual([
        kind,
        true,
      ]);
    }
  });

  it('to sign with a key that is not the signer’s', () => {
    const wrong = trained.consortium.founded.operatorKey;
    for (const [kind, codec] of [
      ['plan', RoundPlan],
      ['hello', Hello],
      ['approval', Approval],
      ['consistency', Consistency],
      ['ack', Ack],
    ] as const)
      expect(
        first(replaced(at(kind), (entry) => resigned(entry, wrong, codec as MessageType<object>, () => ({})))),
      ).toBe('envelope/bad-signature');
  });

  it.each([
    ['threshold', { threshold: 2 }, 'plan/threshold'],
    ['cohort', { cohort: ['silo-000', 'silo-001', 'silo-002', 'silo-009'] }, 'plan/cohort'],
    ['previous result', { previousResultHash: new Uint8Array(32).fill(7) }, 'plan/previous-result'],
    ['model', { modelHash: new Uint8Array(32).fill(7) }, 'plan/model-mismatch'],
    ['manifest', { manifestHash: new Uint8Array(32).fill(7) }, 'plan/wrong-manifest'],
    ['version', { version: 2 }, 'plan/invalid'],
  ] as const)('to change the %s of a plan', (_, change, code) => {
    expect(
      codes(
        replaced(at('plan', 1), (entry) =>
          resigned(entry, coordinator(), RoundPlan, () => change as Partial<RoundPlan>),
        ),
      ),
    ).toContain(code);
  });

  it('to sign two transcripts in one attempt', () => {
    const index = at('consistency');
    const changed = forged((entries) => {
      const second = resigned(entries[index]!, siloOf(index), Consistency, () => ({ t3: new Uint8Array(32).fill(9) }));
      return [...entries.slice(0, index + 1), second, ...entries.slice(index + 1)];
    });
    expect(first(changed)).toBe('verify/second-consistency');
    expect(verifyParts(changed, options).findings[0]?.entries).toEqual([index, index + 1]);
  });

  it('to release twice', () => {
    const index = at('release');
    const changed = forged((entries) => {
      const second = changedEntry(entries[index]!, () => ({
        body: { form: 'digest', bytes: new Uint8Array(32).fill(3) },
      }));
      return [...entries.slice(0, index + 1), second, ...entries.slice(index + 1)];
    });
    expect(first(changed)).toBe('verify/second-release');
  });

  it('to release before enough have signed', () => {
    const [from, to] = [at('release'), at('consistency')];
    const changed = forged((entries) => {
      const moved = entries[from]!;
      const others = entries.filter((_, k) => k !== from);
      return [...others.slice(0, to), moved, ...others.slice(to)];
    });
    expect(first(changed)).toBe('verify/entry-order');
  });

  it('to close a round twice, to plan it twice, to start or to announce it twice', () => {
    for (const [kind, codec, change, code] of [
      ['result', RoundResult, { newModelHash: new Uint8Array(32).fill(5) }, 'verify/second-terminal'],
      ['plan', RoundPlan, { modelHash: new Uint8Array(32).fill(5) }, 'verify/second-entry'],
      ['attempt', AttemptStart, {}, 'verify/second-entry'],
      ['manifest', JobManifest, { description: 'another' }, 'verify/second-entry'],
    ] as const) {
      const index = at(kind);
      const key = kind === 'manifest' ? trained.consortium.founded.operatorKey : coordinator();
      const changed = forged((entries) => {
        const second = resigned(entries[index]!, key, codec as MessageType<object>, () => change);
        return [...entries.slice(0, index + 1), second, ...entries.slice(index + 1)];
      });
      expect([kind, first(changed)]).toEqual([kind, code]);
    }
  });

  it('to close U1 or U2 with others', () => {
    for (const kind of ['t1', 't2'] as const) {
      const changed = replaced(at(kind), (entry) =>
        changedEntry(entry, ({ body }) => {
          const statement = decode(ClosingStatement, 'statement', body.bytes);
          return {
            body: { form: 'statement', bytes: encode(ClosingStatement, { ...statement, members: Uint8Array.of(7) }) },
          };
        }),
      );
      expect(codes(changed)).toContain('verify/other-transcript');
    }
  });

  it.each([
    ['openings', (r: RoundResult) => ({ selfSecrets: r.selfSecrets.slice(1) }), 'result/openings'],
    [
      'a secret',
      (r: RoundResult) => ({
        selfSecrets: r.selfSecrets.map((one, k) => (k === 0 ? { ...one, secret: new Uint8Array(32) } : one)),
      }),
      'result/commitment',
    ],
    ['confirmations', (r: RoundResult) => ({ consistency: r.consistency.slice(1) }), 'result/consistency'],
    ['the hash of X', () => ({ openedHash: new Uint8Array(32) }), 'result/opened'],
    ['the hash of Y', () => ({ sumHash: new Uint8Array(32) }), 'result/wrong-transcript'],
    ['the model', () => ({ newModelHash: new Uint8Array(32) }), 'result/outcome'],
    ['the outcome', () => ({ outcome: 2 }), 'result/outcome'],
    ['T3', () => ({ t3: new Uint8Array(32) }), 'verify/other-transcript'],
  ] as const)('to publish a result with other %s', (_, change, code) => {
    const changed = replaced(at('result', 3), (entry) => resigned(entry, coordinator(), RoundResult, change));
    expect(codes(changed)).toContain(code);
  });

  it('to acknowledge what is not so', () => {
    const index = at('ack');
    for (const change of [{ newModelHash: new Uint8Array(32) }, { outcome: 2 }, { resultHash: new Uint8Array(32) }])
      expect(codes(replaced(index, (entry) => resigned(entry, siloOf(index), Ack, () => change)))).toContain(
        'verify/ack',
      );
  });

  it('to rest on a checkpoint of another log', () => {
    const start = at('attempt', 1);
    const changed = replaced(start, (entry) =>
      resigned(entry, coordinator(), AttemptStart, () => ({
        checkpoint: utf8(`test/log\n3\n${Buffer.alloc(32).toString('base64')}\n`),
      })),
    );
    expect(first(changed)).toBe('log/fork');
  });
});

it('the verdict of the command says PASS with counts, and its exit code is that of the verdict', async () => {
  const at_ = await desk(trained.consortium, { role: 'auditor', id: 'ada', key: null });
  at_.source.model = trained.finalModel;
  const file = at_.path('job.bundle');
  expect(await at_.json('export', trained.jobId, '--out', file)).toMatchObject({ rounds: 4 });
  expect(new Uint8Array(await readFile(file))).toEqual(bytes);
  const passed = await at_.run('verify', file, '--roster-hash', hex(options.rosterHash));
  expect([passed.code, passed.out.split('\n').at(-1)]).toEqual([0, 'PASS']);
  await writeFile(file, bundleOf(new Map([...parts].filter(([name]) => !name.endsWith('/sum')))));
  expect((await at_.run('verify', file, '--roster-hash', hex(options.rosterHash))).code).toBe(8);
  expect((await at_.run('verify', file, '--roster-hash', '00'.repeat(32))).code).toBe(7);
  expect((await at_.run('verify', file, '--roster-hash', '00')).code).toBe(2);
});

describe('a result that rests on a release which came with the answer to whether there had been one', () => {
  it('passes: that release is in the log like any other', async () => {
    const blocked = new Set<string>();
    const asked = await trainedConsortium(undefined, undefined, (consortium) => {
      const { arrive } = consortium.hooks;
      consortium.hooks.arrive = (silo, envelope) => {
        const { open } = consortium.job;
        const few = open?.plan.round === 1 && open.attempt.releases.size + 1 === open.plan.t;
        if (envelope.type === 'unmask' && (few || blocked.has(silo.id))) {
          blocked.add(silo.id);
          return false;
        }
        return arrive!(silo, envelope);
      };
    });
    expect(blocked.size).toBeGreaterThan(0);
    const [first] = asked.consortium.job.closed;
    expect(first!.result).toBeDefined();
    const made = partsOf(await bundleOfJob(asked));
    expect(verifyParts(made, { rosterHash: asked.consortium.founded.roster.hash })).toMatchObject({
      word: 'PASS',
      findings: [],
    });
    const releases = entriesIn(made).filter((bytes) => {
      const { kind, round } = decodeEntry(bytes);
      return kind === 'release' && round === 1;
    });
    expect(releases.length).toBeGreaterThanOrEqual(first!.plan.t);
  });
});
