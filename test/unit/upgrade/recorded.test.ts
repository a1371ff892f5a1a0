// What earlier versions wrote must be read by this one, or refused clearly. The folders under test/fixtures/upgrade are never written
// again once their version has been released.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hex, type Result, type SiloId } from '../../../src/base/index.js';
import { SIGNED_TYPES, verifySignature, verifySignatureIndependently } from '../../../src/crypto/index.js';
import {
  initialCoordinatorState,
  initialSiloState,
  readRoster,
  RECORD_VERSION,
  replayCoordinator,
  replaySilo,
  type CoordinatorState,
  type SiloState,
} from '../../../src/protocol/index.js';
import { CoordinatorRecord, decode, encode, SiloRecord, type Envelope } from '../../../src/wire/index.js';
import { keyFrom, openPolicy } from '../../support/memory/founding.js';
import { readRecording, type Recording } from '../../support/recording.js';

const FOLDER = 'test/fixtures/upgrade';
const VERSIONS = readdirSync(FOLDER).sort();

function folded<State>(
  first: State,
  records: readonly Uint8Array[],
  replay: (state: State, bytes: Uint8Array) => Result<State, string>,
): State {
  return records.reduce((state, bytes, k) => {
    const done = replay(state, bytes);
    if (!done.ok) throw new Error(`record ${k + 1} is not read any more: ${done.error}`);
    return done.value;
  }, first);
}

function coordinatorOf({ roster, coordinator }: Recording): CoordinatorState {
  const self = { signingKey: keyFrom('coordinator'), logKey: keyFrom('log'), roster: readRoster(roster) };
  return folded(initialCoordinatorState(self), coordinator, replayCoordinator);
}

function keysOf(siloId: SiloId) {
  return { signingKey: keyFrom(siloId), cosigningKey: keyFrom(`cosigning ${siloId}`) };
}

function siloOf({ roster, silos }: Recording, siloId: SiloId): SiloState {
  const self = { siloId, ...keysOf(siloId), roster: readRoster(roster), policy: openPolicy };
  return folded(initialSiloState(self), silos.get(siloId)!, replaySilo);
}

function envelopesOf({ coordinator, silos }: Recording): Envelope[] {
  return [
    ...coordinator.map((bytes) => decode(CoordinatorRecord, 'record', bytes, 1 << 24)),
    ...[...silos.values()].flat().map((bytes) => decode(SiloRecord, 'record', bytes, 1 << 24)),
  ].flatMap(({ emitted }) => emitted);
}

describe.each(VERSIONS)('what version %s recorded', (version) => {
  const recording = readRecording(join(FOLDER, version, 'round.json'));

  it('folds on the coordinator’s side to the same signed messages, rounds and model', () => {
    const [job] = [...coordinatorOf(recording).jobs.values()];
    expect({
      rounds: job!.closed.length,
      survivors: job!.closed.map((round) => [...round.survivors]),
      terminals: job!.closed.map((round) => hex(round.terminalHash)),
      modelHash: hex(job!.modelHash),
    }).toEqual(recording.expected);
    expect(recording.expected.survivors.map((one) => one.length)).toEqual([3, 4]);
    // The transparency log of it: Hellos, cosignatures, and a checkpoint over the last result.
    const { log } = coordinatorOf(recording);
    expect([log!.hellos.size, log!.checkpoints.length > 2]).toEqual([4, true]);
  });

  it('folds on each silo’s side to the same signed messages and model', () => {
    for (const id of recording.silos.keys()) {
      const [job] = [...siloOf(recording, id).jobs.values()];
      expect(hex(job!.modelHash)).toBe(recording.expected.modelHash);
      expect(job!.acks.size).toBe(recording.expected.rounds);
    }
  });

  it('is signed as this version verifies, with both implementations; a changed byte is not', () => {
    const roster = readRoster(recording.roster);
    const envelopes = envelopesOf(recording);
    expect(envelopes.length).toBeGreaterThan(40);
    expect(new Set(envelopes.map(({ type }) => type)).size).toBeGreaterThan(10);
    for (const { type, signer, payload, signature } of envelopes) {
      const key = roster.keyOf(signer)!;
      const known = SIGNED_TYPES.find((one) => one === type)!;
      for (const verify of [verifySignature, verifySignatureIndependently]) {
        expect(verify(key, known, payload, signature)).toBe(true);
        const changed = payload.slice();
        changed[0]! ^= 1;
        expect(verify(key, known, changed, signature)).toBe(false);
      }
    }
  });
});

describe('what a version to come will have recorded', () => {
  const recording = readRecording(join(FOLDER, VERSIONS.at(-1)!, 'round.json'));
  const [first] = recording.coordinator;
  const next = RECORD_VERSION + 1;

  it('is refused by its version, before anything else is looked at, on both sides', () => {
    const record = decode(CoordinatorRecord, 'record', first!, 1 << 24);
    const self = {
      signingKey: keyFrom('coordinator'),
      logKey: keyFrom('log'),
      roster: readRoster(recording.roster),
    };
    const later = encode(CoordinatorRecord, { ...record, version: next });
    const done = replayCoordinator(initialCoordinatorState(self), later);
    expect(done.ok ? 'read' : done.error).toContain(`has version ${next}`);
    const [[siloId, records]] = [...recording.silos] as [[SiloId, readonly Uint8Array[]]];
    const silo = { siloId, ...keysOf(siloId), roster: readRoster(recording.roster), policy: openPolicy };
    const own = encode(SiloRecord, { ...decode(SiloRecord, 'record', records[0]!, 1 << 24), version: next });
    const refused = replaySilo(initialSiloState(silo), own);
    expect(refused.ok ? 'read' : refused.error).toContain('the version that wrote it');
  });
});
