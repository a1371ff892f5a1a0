// What a coordinator with two logs, and a silo with an old disk, do not bring about (docs/protocol.md §4.5): no round on two branches, no
// second survivor set, no second release, no other keys in an attempt.

import { describe, expect, it } from 'vitest';
import { hex, unixMs, utf8 } from '../../../src/base/index.js';
import { isAwake, newestWitnessed, noteOf, seal } from '../../../src/protocol/index.js';
import {
  addSignature,
  CompactRange,
  decodeEntry,
  encodeEntry,
  formatNote,
  keyId,
  leafHash,
  logName,
  signCheckpoint,
  witnessName,
  type Note,
} from '../../../src/transcript/index.js';
import { Abandon, AdvertiseKeys, AttemptStart, Cosign, decode, encode, Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { byCoordinator, distinctSent, jobOf } from '../../support/memory/readings.js';
import { refusedBySilo, until, type BodyOf } from '../../support/memory/refusals.js';
import type { MemorySilo } from '../../support/memory/silo.js';

const logged = (n: number, roundLimit = 1, log = true): MemoryConsortium =>
  new MemoryConsortium(n, { manifest: { roundLimit }, log });

function noteOver({ founded }: MemoryConsortium, entries: readonly Uint8Array[]): Note {
  const range = entries.reduce((grown, entry) => grown.append(leafHash(entry)).range, CompactRange.EMPTY);
  const origin = logName(founded.roster.consortiumId);
  return signCheckpoint({ origin, size: range.size, root: range.root() }, founded.logKey!);
}

/** Shows a silo a checkpoint with the entries said to stand behind it; the code of its refusal. */
function shown(silo: MemorySilo, note: Uint8Array, entries: readonly Uint8Array[]): string {
  const before = silo.rejections.length;
  const served = silo.world.readLog.bind(silo.world);
  silo.world.readLog = (from, to) => entries.slice(from, to);
  silo.handle({ sequence: 1n, body: { $case: 'checkpoint', value: { note } } });
  silo.world.readLog = served;
  return silo.rejections[before]?.code ?? 'accepted';
}

/** The note with the cosignatures that these silos have sent for it. */
function cosigned({ founded }: MemoryConsortium, note: Note, silos: readonly MemorySilo[]): Uint8Array<ArrayBuffer> {
  let signed = note;
  for (const silo of silos) {
    const last = silo.sent.findLast(({ type }) => type === 'cosign')!;
    const { checkpoint, cosignature } = decode(Cosign, 'cosign', last.payload);
    expect(checkpoint).toEqual(utf8(note.text));
    const name = witnessName(founded.roster.consortiumId, silo.id);
    const key = { name, key: founded.roster.members.get(silo.id)!.cosigningKey };
    signed = addSignature(signed, { name, keyId: keyId('cosignature', key), signature: cosignature });
  }
  return formatNote(signed);
}

/** What comes of the silo's being told to start on this checkpoint. */
function startedOn(
  consortium: MemoryConsortium,
  silo: MemorySilo,
  start: BodyOf<'start'>,
  text: string,
  checkpoint: Uint8Array,
): string {
  const attempt = byCoordinator(consortium.founded, start.attempt!, AttemptStart, () => ({ checkpoint: utf8(text) }));
  const before = silo.rejections.length;
  silo.handle({ sequence: 1n, body: { $case: 'start', value: { ...start, attempt, checkpoint } } });
  return silo.rejections[before]?.code ?? 'accepted';
}

describe('a forked log', () => {
  /** Six silos, of which the first `many` are shown another last entry than the others; a quorum of six is four. */
  function forked(many: number) {
    const consortium = logged(6);
    const { value } = until(consortium, 'start', 5);
    consortium.silos.forEach((silo) => {
      silo.tamper = (envelope, ciphertexts) => ({ envelope, ciphertexts });
    });
    const { log, silos } = consortium;
    const last = log.at(-1)!;
    const other = encodeEntry({ ...decodeEntry(last), recordedAt: unixMs(77) });
    const branches = [
      { silos: silos.slice(0, many), entries: [...log, other] },
      { silos: silos.slice(many), entries: [...log, last] },
    ].map((branch) => ({ ...branch, note: noteOver(consortium, branch.entries) }));
    for (const branch of branches)
      for (const silo of branch.silos) expect(shown(silo, formatNote(branch.note), branch.entries)).toBe('accepted');
    return { consortium, value, branches };
  }
  // Silo 5 has started nothing yet.
  const lastOf = (branch: { silos: readonly MemorySilo[] }): MemorySilo => branch.silos.at(-1)!;

  it('shown to halves below the quorum carries no round on either branch', () => {
    const { consortium, value, branches } = forked(3);
    const own = branches[1]!;
    const note = cosigned(consortium, own.note, own.silos);
    expect(startedOn(consortium, lastOf(own), value, own.note.text, note)).toBe('log/no-quorum');
    expect(() => cosigned(consortium, own.note, branches[0]!.silos)).toThrow();
  });

  it('shown to a quorum carries a round on that branch alone', () => {
    const { consortium, value, branches } = forked(2);
    const [few, many] = [branches[0]!, branches[1]!];
    const silo = lastOf(many);
    expect(startedOn(consortium, silo, value, many.note.text, cosigned(consortium, many.note, many.silos))).toBe(
      'accepted',
    );
    const note = cosigned(consortium, few.note, few.silos);
    expect(startedOn(consortium, lastOf(many), value, few.note.text, note)).not.toBe('accepted');
    const behind = few.silos[0]!;
    expect(shown(behind, formatNote(many.note), many.entries)).toBe('log/fork');
  });
});

describe('a stale checkpoint', () => {
  it('carries no round that it does not hold the end of the last one for', () => {
    const consortium = logged(4, 2);
    const first = until(consortium, 'start');
    const old = newestWitnessed(consortium.coordinator.log!, consortium.job)!;
    consortium.run(1);
    const { silo, value } = until(consortium, 'start');
    expect(value.plan).not.toEqual(first.value.plan);
    expect(startedOn(consortium, silo, value, old.note.text, noteOf(old))).toBe('log/not-logged');
  });

  it('awakens no silo that has started since', () => {
    const consortium = logged(4);
    const { silo } = until(consortium, 'unmask');
    const old = newestWitnessed(consortium.coordinator.log!, consortium.job)!;
    silo.crash();
    silo.restart();
    shown(silo, noteOf(old), consortium.log);
    expect(isAwake(silo.state, jobOf(silo))).toBe(false);
  });
});

describe('a round that is closed twice', () => {
  it('in the log, result first, is not abandoned by those who are shown the Abandon', () => {
    const consortium = logged(4);
    const { silo, value } = until(consortium, 'result');
    const { plan } = consortium.job.closed[0]!;
    const message = { jobId: plan.jobId, rid: plan.rid, round: plan.round, reason: 'no', proof: [] };
    const abandon = seal(consortium.founded.coordinatorKey, 'coordinator', 'abandon', Abandon, message);
    const entry = encodeEntry({
      kind: 'abandon',
      job: plan.jobId,
      round: plan.round,
      attempt: 0,
      subject: 'coordinator',
      recordedAt: unixMs(1),
      body: { form: 'envelope', bytes: encode(Envelope, abandon) },
    });
    const entries = [...consortium.log, entry];
    expect(shown(silo, formatNote(noteOver(consortium, entries)), entries)).toBe('accepted');
    const directive = { abandon, plan: plan.envelope, checkpoint: new Uint8Array() };
    expect(refusedBySilo(silo, { $case: 'abandon', value: directive })).toBe('log/other-terminal');
    // The result that came first is still taken.
    silo.cursor = 0n;
    silo.handle({ sequence: 2n, body: { $case: 'result', value: { ...value, checkpoint: new Uint8Array() } } });
    expect(jobOf(silo).closedRound).toBe(1);
  });
});

describe('a silo whose disk was set back', () => {
  /** One set of keys for each attempt, one T3 and one release at the most; whatever its disk forgot. */
  function demandOnce(silo: MemorySilo): void {
    const keys = new Map<string, string>();
    for (const { payload } of distinctSent(silo, 'advertise')) {
      const { rid, attempt } = decode(AdvertiseKeys, 'advertise', payload);
      const name = `${hex(rid)} ${attempt}`;
      expect(keys.get(name) ?? hex(payload)).toBe(hex(payload));
      keys.set(name, hex(payload));
    }
    for (const type of ['consistency', 'unmask', 'masked-header'] as const)
      expect(distinctSent(silo, type).length).toBeLessThanOrEqual(1);
  }

  /** One round, in which the silo has signed; then its disk is put back as it was after so many records. */
  function setBack(kept: number, log = true): MemoryConsortium {
    const consortium = logged(5, 1, log);
    const { silo } = until(consortium, 'unmask', 2);
    silo.crash();
    silo.journal.length = kept;
    silo.restart();
    return consortium;
  }

  const records = (() => {
    return until(logged(5), 'unmask', 2).silo.journal.length;
  })();

  it('at any state of its journal signs one survivor set, releases once, keeps its keys, and goes on', () => {
    expect(records).toBeGreaterThan(10);
    for (let kept = 0; kept < records; kept++) {
      const consortium = setBack(kept);
      const silo = consortium.silos[2]!;
      consortium.run();
      demandOnce(silo);
      expect(consortium.job.closed.map(({ acks }) => acks.size)).toEqual([5]);
      expect(jobOf(silo).closedRound).toBe(1);
    }
  });

  it('without a log advertises other keys in the attempt: what the log is for', () => {
    const consortium = setBack(3, false);
    consortium.run();
    expect(() => {
      demandOnce(consortium.silos[2]!);
    }).toThrow();
  });

  it('to before a round that it had acknowledged is told of it again and takes part in the next', () => {
    for (const kept of [0, 8]) {
      const consortium = logged(5, 2);
      const silo = consortium.silos[2]!;
      consortium.run(1);
      consortium.settle();
      expect(consortium.job.closed[0]!.acks.has(silo.id)).toBe(true);
      silo.crash();
      silo.journal.length = kept;
      silo.restart();
      consortium.run();
      expect(jobOf(silo).closedRound).toBe(2);
      expect(consortium.job.closed.map(({ acks }) => acks.size)).toEqual([5, 5]);
    }
  });

  it('to before its job was offered sits out the round that it had taken part in', () => {
    const consortium = setBack(0);
    const silo = consortium.silos[2]!;
    // The log is shown before the offer.
    const made = newestWitnessed(consortium.coordinator.log!, consortium.job)!;
    const all = noteOver(consortium, consortium.log);
    expect(made.size).toBeLessThan(consortium.log.length);
    expect(silo.state.jobs.size).toBe(0);
    expect(shown(silo, formatNote(all), consortium.log)).toBe('accepted');
    expect(silo.state.witness.sitsOut.get('job-1')).toBe(1);
  });
});
