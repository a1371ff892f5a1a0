// The transparency log in the protocol (docs/protocol.md §4): what a silo refuses to rest on, and what it finds out about the
// coordinator's log and about its own disk.

import { describe, expect, it } from 'vitest';
import { unixMs, utf8 } from '../../../src/base/index.js';
import { sha256 } from '../../../src/crypto/index.js';
import { envelopeDigest, isAwake, newestWitnessed, noteOf, seal, siloSigner } from '../../../src/protocol/index.js';
import {
  CompactRange,
  decodeEntry,
  encodeEntry,
  formatNote,
  leafHash,
  logName,
  signCheckpoint,
  type EntryKindName,
} from '../../../src/transcript/index.js';
import { Abandon, AttemptStart, Cosign, decode, Hello, SiloRecord } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { keyFrom, seedFrom } from '../../support/memory/founding.js';
import { byCoordinator, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until } from '../../support/memory/refusals.js';
import type { MemorySilo } from '../../support/memory/silo.js';

const logged = (n: number, roundLimit = 1): MemoryConsortium =>
  new MemoryConsortium(n, { manifest: { roundLimit }, log: true });

const kindsOf = (consortium: MemoryConsortium): EntryKindName[] =>
  consortium.log.map((entry) => decodeEntry(entry).kind);

/** A checkpoint of these entries, signed by the log. */
function noteOver(consortium: MemoryConsortium, entries: readonly Uint8Array[], key = consortium.founded.logKey!) {
  const range = entries.reduce((grown, entry) => grown.append(leafHash(entry)).range, CompactRange.EMPTY);
  const origin = logName(consortium.founded.roster.consortiumId);
  return formatNote(signCheckpoint({ origin, size: range.size, root: range.root() }, key));
}

/** Shows a silo a checkpoint with the entries that are said to stand behind it; the code of its refusal. */
function shown(silo: MemorySilo, note: Uint8Array, entries: readonly Uint8Array[]): string {
  const before = silo.rejections.length;
  const served = silo.world.readLog.bind(silo.world);
  silo.world.readLog = (from, to) => entries.slice(from, to);
  silo.handle({ sequence: 1n << 60n, body: { $case: 'checkpoint', value: { note } } });
  silo.world.readLog = served;
  return silo.rejections[before]?.code ?? 'accepted';
}

const other = (entry: Uint8Array): Uint8Array => encodeEntry({ ...decodeEntry(entry), recordedAt: unixMs(77) });

describe('a round under a log', () => {
  const consortium = logged(4);
  consortium.run();

  it('ends with the exact sum, and every step of it stands in the log', () => {
    expect(consortium.job.closed[0]?.result).toBeDefined();
    const kinds = kindsOf(consortium);
    for (const kind of ['roster', 'manifest', 'plan', 'attempt', 't1', 't2', 't3', 'result'] as const)
      expect(kinds.filter((one) => one === kind)).toHaveLength(1);
    for (const kind of ['hello', 'approval', 'consistency', 'ack'] as const)
      expect(kinds.filter((one) => one === kind)).toHaveLength(4);
    expect(kinds.filter((one) => one === 'release').length).toBeGreaterThanOrEqual(3);
  });

  it('leaves no share in the log', () => {
    for (const entry of consortium.log)
      if (decodeEntry(entry).kind === 'release') expect(decodeEntry(entry).body.form).toBe('digest');
  });

  it('ends under a checkpoint of a quorum that every silo has read', () => {
    const checkpoint = newestWitnessed(consortium.coordinator.log!, consortium.job)!;
    expect(checkpoint.cosignatures.size).toBeGreaterThanOrEqual(3);
    for (const silo of consortium.silos) expect(silo.state.witness.roots.has(checkpoint.size)).toBe(true);
  });

  it('gives the same log after every restart of the coordinator', () => {
    const before = consortium.log.length;
    consortium.restartCoordinator();
    expect(consortium.log).toHaveLength(before);
    expect(consortium.coordinator.log?.range.size).toBe(before);
  });
});

describe('a silo that reads the log', () => {
  const consortium = logged(4, 2);
  consortium.run(1);
  const silo = consortium.silos[0]!;
  const read = silo.state.witness.size;
  const { log } = consortium;
  const more = [...log, ...consortium.log.slice(-1)];

  it("refuses a note that the log's key did not sign", () => {
    expect(shown(silo, noteOver(consortium, more, keyFrom('somebody')), more)).toBe('log/note');
    expect(shown(silo, utf8('no note'), more)).toBe('log/note');
  });

  it('refuses another root at a size that it has read', () => {
    const forked = [...log.slice(0, read - 1), other(log[read - 1]!)];
    expect(shown(silo, noteOver(consortium, forked), forked)).toBe('log/fork');
  });

  it('refuses a longer log that is not an extension of the one it has read', () => {
    const forked = [...log.slice(0, read - 1), other(log[read - 1]!), ...log.slice(read), log[1]!];
    expect(shown(silo, noteOver(consortium, forked), forked)).toBe('log/root');
  });

  it('refuses entries other than those behind the checkpoint', () => {
    const served = [...log, other(log[1]!)];
    expect(shown(silo, noteOver(consortium, [...log, log[1]!]), served)).toBe('log/root');
  });

  it('refuses bytes that are no entry', () => {
    const served = [...log, utf8('no entry')];
    expect(shown(silo, noteOver(consortium, served), served)).toBe('log/entry');
  });

  it('refuses a shorter log than it has read, unless what it has read begins with it', () => {
    expect(shown(silo, noteOver(consortium, [log[0]!, other(log[1]!)]), log)).toBe('log/shrunk');
    expect(shown(silo, noteOver(consortium, [log[0]!, log[1]!]), log)).toBe('accepted');
    expect(shown(silo, noteOver(consortium, [log[0]!, other(log[1]!)]), log)).toBe('log/fork');
  });

  it('cosigns what extends what it had read, with its cosigning key', () => {
    const cosigns = silo.sent.filter(({ type }) => type === 'cosign');
    expect(cosigns.length).toBeGreaterThan(0);
  });
});

describe('a silo that is told to start under a log', () => {
  const consortium = logged(4);
  const { silo, value } = until(consortium, 'start');
  const { founded } = consortium;
  const told = (body: Partial<typeof value>): string =>
    refusedBySilo(silo, { $case: 'start', value: { ...value, ...body } });
  const startOn = (checkpoint: Uint8Array) =>
    byCoordinator(founded, value.attempt!, AttemptStart, () => ({ checkpoint }));

  it('refuses an attempt that names no checkpoint', () => {
    expect(told({ attempt: startOn(new Uint8Array()) })).toBe('plan/reserved');
  });

  it('refuses a checkpoint that too few silos have cosigned', () => {
    const made = newestWitnessed(consortium.coordinator.log!, consortium.job)!;
    const bare = noteOf({ ...made, cosignatures: new Map() });
    expect(told({ checkpoint: bare })).toBe('log/no-quorum');
    const one = noteOf({ ...made, cosignatures: new Map([...made.cosignatures].slice(0, 2)) });
    expect(told({ checkpoint: one })).toBe('log/no-quorum');
  });

  it('refuses a note of another checkpoint than the one that the attempt names', () => {
    expect(told({ attempt: startOn(utf8('test/log\n1\nAAAA\n')) })).toBe('log/note');
  });

  it('refuses a checkpoint that it has not read', () => {
    // Nothing of the log reaches it: `handle` would read the note first.
    const made = newestWitnessed(consortium.coordinator.log!, consortium.job)!;
    const unread = { ...silo.state.witness, roots: new Map<number, string>() };
    const before = silo.state;
    silo.state = { ...silo.state, witness: unread };
    silo.feed({
      $case: 'attemptStarted',
      value: { ...value, checkpoint: noteOf(made), rho: seedFrom('rho'), roundSecret: seedFrom('round') },
    });
    expect(silo.lastRejection).toBe('log/unread');
    silo.state = before;
  });

  it('takes part in nothing before a quorum has cosigned its Hello', () => {
    const asleep = logged(4);
    const held = until(asleep, 'start');
    held.silo.hello();
    expect(isAwake(held.silo.state, jobOf(held.silo))).toBe(false);
    expect(refusedBySilo(held.silo, { $case: 'start', value: held.value })).toBe('log/hello-pending');
  });
});

describe('a silo under a log that is shown the end of a round', () => {
  it('refuses an Abandon that is not in the log, and one after a result', () => {
    const consortium = logged(4);
    const { silo, value } = until(consortium, 'result');
    const { founded } = consortium;
    const plan = consortium.job.closed[0]!.plan;
    const abandon = seal(founded.coordinatorKey, 'coordinator', 'abandon', Abandon, {
      jobId: plan.jobId,
      rid: plan.rid,
      round: plan.round,
      reason: 'no',
      proof: [],
    });
    const directive = { abandon, plan: plan.envelope, checkpoint: new Uint8Array() };
    expect(refusedBySilo(silo, { $case: 'abandon', value: directive })).toBe('log/not-logged');
    const { state } = silo;
    const first = { digest: envelopeDigest(value.result!), index: 20 };
    silo.state = { ...state, witness: { ...state.witness, terminals: new Map([['job-1/1', first]]) } };
    expect(refusedBySilo(silo, { $case: 'abandon', value: directive })).toBe('log/other-terminal');
  });
});

describe('a silo whose disk was set back', () => {
  it('finds out by the log, sits the round out, and takes part again in the next', () => {
    const consortium = logged(5, 2);
    const { silo } = until(consortium, 'unmask');
    const kept = silo.journal.findIndex((_, k) => kindAt(silo, k) === 'attemptStarted');
    silo.crash();
    silo.journal.length = kept;
    silo.restart();
    consortium.run();
    expect(silo.notices.map(({ code }) => code)).toContain('log/rolled-back');
    expect(silo.sent.filter(({ type }) => type === 'consistency')).toHaveLength(2);
    expect(consortium.job.closed.map(({ result }) => result !== undefined)).toEqual([true, true]);
  });
});

describe('the coordinator', () => {
  it('refuses a cosignature that does not verify', () => {
    const consortium = logged(4);
    const { silo } = until(consortium, 'start');
    const body = utf8(consortium.coordinator.log!.checkpoints.at(-1)!.note.text);
    consortium.coordinator = {
      ...consortium.coordinator,
      log: {
        ...consortium.coordinator.log!,
        checkpoints: consortium.coordinator.log!.checkpoints.map((one) => ({ ...one, cosignatures: new Map() })),
      },
    };
    const forged = seal(consortium.founded.keyOf(silo.id), siloSigner(silo.id), 'cosign', Cosign, {
      checkpoint: body,
      cosignature: new Uint8Array(72),
    });
    expect(refusedByCoordinator(consortium, silo.id, forged)).toBe('log/cosignature');
  });

  it('refuses a silo that says Hello again and again', () => {
    const consortium = logged(4);
    const silo = consortium.silos[0]!;
    for (let k = 0; k < 130; k++) silo.hello();
    expect(consortium.rejections.at(-1)?.rejection.code).toBe('log/hello-often');
  });

  it('refuses a Hello of another silo', () => {
    const consortium = logged(4);
    const [one, two] = consortium.silos;
    const hello = { siloId: two!.id, nonce: sha256(utf8('x')), checkpoint: new Uint8Array() };
    const envelope = seal(consortium.founded.keyOf(one!.id), siloSigner(one!.id), 'hello', Hello, hello);
    expect(refusedByCoordinator(consortium, one!.id, envelope)).toBe('envelope/wrong-signer');
  });
});

describe('members that were shown different logs', () => {
  it('find out by their advertisements', () => {
    const consortium = logged(4);
    const { silo, value } = until(consortium, 'keys');
    const seen = silo.state.witness;
    silo.state = { ...silo.state, witness: { ...seen, roots: new Map([...seen.roots].map(([size]) => [size, 'ff'])) } };
    expect(refusedBySilo(silo, { $case: 'keys', value })).toBe('log/fork');
  });
});

describe('a silo that sits a round out', () => {
  it('starts nothing in it', () => {
    const consortium = logged(4);
    const { silo, value } = until(consortium, 'start');
    const { state } = silo;
    silo.state = { ...state, witness: { ...state.witness, sitsOut: new Map([['job-1', 1]]) } };
    expect(refusedBySilo(silo, { $case: 'start', value })).toBe('log/rolled-back');
  });
});

/** Case of the k-th record of a silo's journal. */
function kindAt(silo: MemorySilo, k: number): string | undefined {
  return decode(SiloRecord, 'record', silo.journal[k]!, 1 << 26).event?.$case;
}
