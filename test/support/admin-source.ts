// A consortium in memory as the admin handlers see it: what the coordinator's service gives them in the program.

import { hex, type SiloId } from '../../src/base/index.js';
import { sha256 } from '../../src/crypto/index.js';
import { advanceCoordinator, type CoordinatorEvent } from '../../src/protocol/index.js';
import { CodedError, unixMs } from '../../src/base/index.js';
import { consistencyProof, inclusionProof } from '../../src/transcript/index.js';
import { growTree } from './log-tree.js';
import type { ActRecord } from '../../src/wire/index.js';
import type { AdminSource } from '../../coordinator/admin/index.js';
import type { MemoryConsortium } from './memory/consortium.js';

export class MemorySource implements AdminSource {
  readonly consortium: MemoryConsortium;
  readonly listeners = new Set<() => void>();
  readonly gone = new Set<SiloId>();
  /** What exportModel gives. */
  model: Uint8Array = Uint8Array.of(1, 2, 3);

  constructor(consortium: MemoryConsortium) {
    this.consortium = consortium;
  }

  state: AdminSource['state'] = () => this.consortium.coordinator;

  onChange: AdminSource['onChange'] = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Tells everybody who listens. */
  changed(): void {
    for (const listener of this.listeners) listener();
  }

  connected: AdminSource['connected'] = (silo) => !this.gone.has(silo);

  readonly records: ActRecord[] = [];
  readonly acts: AdminSource['acts'] = {
    count: () => this.records.length,
    append: (record) => {
      this.records.push(record);
      return Promise.resolve(true);
    },
    read: (first, most) => Promise.resolve(this.records.slice(first - 1, first - 1 + most)),
  };

  mayRead: AdminSource['mayRead'] = () => true;

  note: AdminSource['note'] = async ({ round = 0, objects, ...act }) => {
    if (this.consortium.coordinator.log === undefined) return;
    await this.#feed({ $case: 'actNoted', value: { ...act, round, objects: [...objects] } });
  };

  /** Over the entries that the consortium has appended. */
  get log(): AdminSource['log'] {
    const { log } = this.consortium;
    const tree = growTree(log);
    return {
      size: log.length,
      root: (size) => tree.ranges[size]!.root(),
      entries: async function* (first, count) {
        await Promise.resolve();
        for (const bytes of log.slice(first, first + count)) yield { bytes };
      },
      inclusion: (index, size) => inclusionProof(index, size, tree.read),
      consistency: (from, to) => consistencyProof(from, to, tree.read),
    };
  }

  missingInputs: AdminSource['missingInputs'] = (round) =>
    (round.result?.missing ?? []).map((index) => {
      const upload = `${hex(round.plan.rid)}/${String(round.attempt)}/${round.plan.cohort[index]!}`;
      const bytes = this.consortium.uploads.get(upload)!;
      const blob = { sha256: sha256(bytes), size: BigInt(bytes.length) };
      this.consortium.blobs.set(hex(blob.sha256), bytes);
      return blob;
    });

  readonly server: AdminSource['server'] = {
    version: '0.0.1',
    startedAt: unixMs(1),
    certificateNotAfter: () => unixMs(9),
  };

  now: AdminSource['now'] = () => unixMs(this.consortium.time);

  seen: AdminSource['seen'] = (silo) =>
    silo === 'silo-003'
      ? undefined
      : { at: this.now(), agentVersion: '0.1.0', certificateNotAfter: unixMs(5_000_000_000), certificateSerial: 'abc' };

  giveOrder: AdminSource['giveOrder'] = (order) => this.#feed({ $case: 'orderGiven', value: { order } });

  readModelState: AdminSource['readModelState'] = async function* (this: MemorySource) {
    await Promise.resolve();
    yield this.model;
  };

  createJob: AdminSource['createJob'] = (manifest) => this.#feed({ $case: 'jobCreated', value: { manifest } });

  async #feed(event: CoordinatorEvent): Promise<void> {
    const { consortium } = this;
    const done = advanceCoordinator(consortium.coordinator, { at: unixMs(consortium.time), event });
    if ('rejected' in done) {
      const { code, detail, category } = done.rejected;
      throw new CodedError(code, detail, { category });
    }
    consortium.feed(event);
    this.changed();
    return Promise.resolve();
  }

  putBlob: AdminSource['putBlob'] = async (chunks) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
    const bytes = Uint8Array.from(Buffer.concat(parts));
    const blob = { sha256: sha256(bytes), size: BigInt(bytes.length) };
    this.consortium.blobs.set(hex(blob.sha256), bytes);
    return blob;
  };

  readBlob: AdminSource['readBlob'] = async function* (this: MemorySource, blob) {
    await Promise.resolve();
    const bytes = this.consortium.blobs.get(hex(blob.sha256));
    if (bytes === undefined) throw new CodedError('storage/no-blob', 'no such object', { category: 'missing' });
    yield bytes.subarray(0, 5);
    yield bytes.subarray(5);
  };

  /** What exportState gives. */
  modelState = new Uint8Array();

  exportState: AdminSource['exportState'] = async function* (this: MemorySource) {
    await Promise.resolve();
    yield this.modelState;
  };

  exportModel: AdminSource['exportModel'] = async function* (this: MemorySource) {
    await Promise.resolve();
    yield this.model;
  };
}
