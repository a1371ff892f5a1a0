// Which kinds of entries a log gets: every one of the protocol's list (docs/protocol.md §4.3) but those that others bind.

import { expect, it } from 'vitest';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { seal, siloSigner } from '../../../src/protocol/index.js';
import { decodeEntry, ENTRY_KINDS, type EntryKindName } from '../../../src/transcript/index.js';
import { Complaint, Exclude, Protest, Rollback, ShareHeader, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { ofJob, order } from '../../support/memory/orders.js';
import { bySilo } from '../../support/memory/readings.js';
import { until } from '../../support/memory/refusals.js';
import { signedSuccessor, successorOf } from '../../support/memory/rosters.js';

/** Bound by T1 and T2, and held by T3: they have kinds, and no entry is written. */
const INSIDE_OTHERS: readonly EntryKindName[] = ['advertise', 'share-header', 'masked-header'];

const found = new Set<EntryKindName>();

function collect(consortium: MemoryConsortium): void {
  for (const bytes of consortium.log) found.add(decodeEntry(bytes).kind);
}

function handed(consortium: MemoryConsortium, index: number, envelope: Envelope): void {
  consortium.receive(consortium.silos[index]!.id, { envelope, ciphertexts: [] });
}

/** Signed by a silo. */
function signed(consortium: MemoryConsortium, index: number) {
  const { id } = consortium.silos[index]!;
  const key = consortium.founded.keyOf(id);
  return {
    exclude: () =>
      seal(key, siloSigner(id), 'exclude', Exclude, {
        siloId: id,
        manifestHash: consortium.job.manifest.hash,
        excluded: 'silo-003',
        reason: 'why not',
        atUnixMs: 1n,
      }),
    rollback: () =>
      seal(key, siloSigner(id), 'rollback', Rollback, {
        siloId: id,
        manifestHash: consortium.job.manifest.hash,
        afterHash: consortium.job.previousResultHash,
        baseRound: 0,
        baseModelHash: consortium.job.manifest.initialModelHash,
        reason: 'why not',
        atUnixMs: 1n,
      }),
  };
}

it('a log gets entries of every kind, in jobs that go well and in others', () => {
  // Well, with votes, a signature on another roster, an order, and what is noted beside rounds.
  const well = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 2 } });
  well.run(1);
  handed(well, 0, signed(well, 0).exclude());
  handed(well, 0, signed(well, 0).rollback());
  const { roster } = well.coordinator.self;
  handed(well, 0, signedSuccessor(roster, well.silos[0]!.id, successorOf(roster)));
  order(well, { $case: 'pauseJob', value: ofJob(well) });
  const noted = [
    ['export', 'auditor/ada', 'export-model'],
    ['auditor-read', 'auditor/ada', 'read'],
    ['certificate-issued', 'silo/silo-000', ''],
    ['certificate-revoked', 'silo/silo-000', ''],
  ] as const;
  for (const [entry, subject, action] of noted) {
    const jobId = entry.startsWith('certificate') ? '' : 'job-1';
    well.feed({
      $case: 'actNoted',
      value: { entry, subject, jobId, round: 0, action, objects: [new Uint8Array(32).fill(1)] },
    });
  }
  well.feed({
    $case: 'actNoted',
    value: { entry: 'erasure', subject: 'coordinator', jobId: 'job-1', round: 1, action: 'erase-uploads', objects: [] },
  });
  collect(well);

  // A silo without an input, an attempt that fails, a sum that is a lie.
  const declining = new MemoryConsortium(5, { log: true, manifest: { roundLimit: 1 } });
  declining.silos[2]!.input = () => undefined;
  declining.hooks.lieAboutSum = (sum) => (sum[0]! += 1);
  declining.run();
  collect(declining);
  const failing = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 1 } });
  failing.hooks.arrive = (_, { type }) => type !== 'masked-header';
  failing.run();
  collect(failing);

  // A dealer that signs a ciphertext which does not open, and the answer to whoever complains.
  const complaining = new MemoryConsortium(5, { log: true, manifest: { roundLimit: 1 } });
  const dealer = complaining.silos[3]!;
  let honest = { ciphertextHash: new Uint8Array(), headerHash: new Uint8Array() };
  dealer.tamper = (envelope, ciphertexts) => {
    if (envelope.type !== 'share-header') return { envelope, ciphertexts };
    const broken = ciphertexts.map((one, k) => (k === 1 ? one.map((byte) => byte ^ 1) : one));
    const wrong = bySilo(complaining.founded, dealer.id, envelope, ShareHeader, ({ entries }) => ({
      entries: entries.map((entry, k) => {
        if (k !== 1) return entry;
        honest = {
          ciphertextHash: Uint8Array.from(entry.ciphertextHash),
          headerHash: Uint8Array.from(hash(LABELS.shareHeader, envelope.payload)),
        };
        return { ...entry, ciphertextHash: hash(LABELS.shareCiphertext, broken[1]!) };
      }),
    }));
    return { envelope: wrong, ciphertexts: broken };
  };
  // Its own machine knows the header that it made, and answers for that one.
  complaining.hooks.deliver = (silo, directive) => {
    const { body } = directive;
    if (silo !== dealer || body?.$case !== 'complaint') return true;
    const victim = complaining.silos[1]!.id;
    const complaint = bySilo(complaining.founded, victim, body.value.complaint!, Complaint, () => honest);
    return { ...directive, body: { $case: 'complaint', value: { ...body.value, complaint } } };
  };
  complaining.run();
  collect(complaining);

  // A silo that was left out of the survivors says so.
  const protesting = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 1 } });
  const { silo } = until(protesting, 'confirm', 1);
  const { attempt } = protesting.job.open!;
  handed(
    protesting,
    1,
    seal(protesting.founded.keyOf(silo.id), siloSigner(silo.id), 'protest', Protest, {
      t2: attempt.dealers!.t2,
      receipt: attempt.receipts.get(1)!,
      request: attempt.survivors!.request,
    }),
  );
  collect(protesting);

  const missing = (Object.keys(ENTRY_KINDS) as EntryKindName[]).filter((kind) => !found.has(kind));
  expect(missing.sort()).toEqual([...INSIDE_OTHERS].sort());
});
