// The coordinator's process: the real state machine, its effects run in order against a simulated disk, its computations as events that come
// back after a while, its streams and its schedule. As coordinator/service.ts does it, on a virtual clock.

import { equalBytes, hex, unixMs, type SiloId, type UnixMs } from '../../src/base/index.js';
import {
  advanceCoordinator,
  directivesFor,
  dueCheckpoint,
  dueFor,
  equalEnvelopes,
  firstEntry,
  indexIn,
  initialCoordinatorState,
  mayFetch,
  pendingComputations,
  type ClosedRound,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  type Rejection,
} from '../../src/protocol/index.js';
import {
  CoordinatorRecord,
  decode,
  encode,
  MaskedHeader,
  type BlobRef,
  type Directive,
  type Envelope,
  type SubmitRequest,
} from '../../src/wire/index.js';
import { CompactRange, leafHash } from '../../src/transcript/index.js';
import { blobOf, rootOf } from '../support/memory/vectors.js';
import { computed, uploadName, type Computation } from './computations.js';
import { Disk, Killed } from './disk.js';
import type { Answer } from './face.js';
import type { Stream } from './network.js';
import type { World } from './world.js';

const WHOLE = 1 << 26;
const REFUSED_PAUSE_MS = 1_000;

export class SimCoordinator {
  state: CoordinatorState;
  readonly disk = new Disk();
  /** Entries of the transparency log: on disk, but for those that a crash after the journal's record left out. */
  readonly log: Uint8Array[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly uploads = new Map<string, Uint8Array>();
  readonly missing = new Map<string, BlobRef[]>();
  readonly rejections = new Map<string, number>();
  /** What it refused and can prove. */
  readonly proofs: Rejection[] = [];
  up = true;
  life = 0;
  /** Replaces Y before it is announced. */
  lieAboutSum: ((sum: Float64Array) => void) | undefined;
  readonly #world: World;
  readonly #streams = new Map<SiloId, Stream>();
  readonly #goneSince = new Map<SiloId, number>();
  readonly #computing = new Set<string>();
  #started: number;
  #pumping = false;
  #wake = 0;

  constructor(world: World) {
    this.#world = world;
    this.#started = world.timeline.now;
    this.state = this.#initial();
    if (this.state.log !== undefined) this.log.push(firstEntry(this.#world.founded.roster.hash));
  }

  #initial(): CoordinatorState {
    const { coordinatorKey, logKey, roster } = this.#world.founded;
    return initialCoordinatorState({ signingKey: coordinatorKey, logKey, roster });
  }

  /** Everything but the disk is gone; streams break. */
  die(): void {
    this.life++;
    this.up = false;
    this.disk.fuse = undefined;
    this.#computing.clear();
    for (const silo of [...this.#streams.keys()]) this.close(silo);
    this.#goneSince.clear();
  }

  restart(): void {
    this.up = true;
    this.#started = this.#world.timeline.now;
    this.state = this.#initial();
    for (const bytes of this.disk.read()) this.#replay(bytes);
    this.#demandLog();
    this.#dropOldUploads();
    this.#world.oracle.coordinatorRecovered(this.state, this.disk.read());
    for (const effect of pendingComputations(this.state)) this.#run(effect);
    this.changed();
  }

  #replay(bytes: Uint8Array): void {
    const record = decode(CoordinatorRecord, 'record', bytes, WHOLE);
    const done = advanceCoordinator(this.state, { at: unixMs(Number(record.atUnixMs)), event: record.event! });
    if ('rejected' in done) throw new Error(`the coordinator's journal is refused: ${done.rejected.code}`);
    this.state = done.accepted.state;
    const emitted = done.accepted.effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : []));
    const same =
      emitted.length === record.emitted.length && emitted.every((one, k) => equalEnvelopes(one, record.emitted[k]!));
    if (!same) throw new Error("the coordinator's journal gives other bytes than were sent");
    for (const effect of done.accepted.effects)
      if (effect.kind === 'append') this.log.push(...effect.entries.slice(Math.max(0, this.log.length - effect.first)));
  }

  #demandLog(): void {
    const { range } = this.state.log ?? {};
    if (range === undefined) return;
    const kept = this.log.reduce((grown, entry) => grown.append(leafHash(entry)).range, CompactRange.EMPTY);
    if (kept.size !== range.size || !equalBytes(kept.root(), range.root()))
      throw new Error("the coordinator's log is not the one that its journal gives");
  }

  /** Undefined when nobody is there, or there are not so many. */
  readLog(from: number, to: number): readonly Uint8Array[] | undefined {
    return this.up && to <= this.log.length ? this.log.slice(from, to) : undefined;
  }

  /** Undefined: nobody is there to answer. */
  submit(silo: SiloId, request: SubmitRequest): Answer | undefined {
    if (!this.up) return undefined;
    const { envelope } = request;
    const ciphertexts = envelope?.type === 'share-header' ? request.ciphertexts : [];
    const computedRoot = envelope?.type === 'masked-header' ? this.#rootOf(silo, envelope) : new Uint8Array();
    const answer = this.feed({
      $case: 'messageReceived',
      value: { siloId: silo, envelope, ciphertexts, computedRoot },
    });
    if (answer?.kind === 'answered' && envelope !== undefined) {
      this.#world.oracle.answered(envelope);
      if (envelope.type === 'ack') this.#dropOldUploads();
    }
    if (answer?.kind === 'refused' && answer.rejection.code === 'mask/root-differs') this.#dropUpload(silo);
    return answer;
  }

  /** h_i of what arrived in the attempt whose T2 the header names, if that takes inputs now. */
  #rootOf(silo: SiloId, { payload }: Envelope): Uint8Array {
    const { t2 } = decode(MaskedHeader, 'masked-header', payload);
    for (const { open } of this.state.jobs.values()) {
      if (open?.attempt.dealers === undefined || !equalBytes(open.attempt.dealers.t2, t2)) continue;
      const bytes = this.uploads.get(uploadName(open.plan.rid, open.attempt.context.attempt.attempt, silo));
      if (bytes !== undefined) return rootOf(bytes);
    }
    return new Uint8Array();
  }

  #dropUpload(silo: SiloId): void {
    for (const { open } of this.state.jobs.values())
      if (open !== undefined)
        this.uploads.delete(uploadName(open.plan.rid, open.attempt.context.attempt.attempt, silo));
  }

  /** True when the bytes are durable, false when nobody expects them, undefined when nobody is there. */
  upload(silo: SiloId, rid: Uint8Array, attempt: number, bytes: Uint8Array): boolean | undefined {
    if (!this.up) return undefined;
    for (const { open } of this.state.jobs.values()) {
      if (open === undefined || hex(open.plan.rid) !== hex(rid)) continue;
      const index = indexIn(open.plan, silo);
      if (index === undefined || open.attempt.context.attempt.attempt !== attempt) return false;
      if (open.attempt.dealers?.members.has(index) !== true) return false;
      const name = uploadName(rid, attempt, silo);
      // Append-only: what is there stays.
      if (!this.uploads.has(name)) this.uploads.set(name, bytes);
      return true;
    }
    return false;
  }

  /** Undefined when nobody is there or there is no such object for this silo. */
  fetch(silo: SiloId, sha256: Uint8Array): Uint8Array | undefined {
    if (!this.up || !mayFetch(this.state, silo, sha256, this.missingInputs)) return undefined;
    return this.blobs.get(hex(sha256));
  }

  feed(event: CoordinatorEvent): Answer | undefined {
    if (!this.up) return undefined;
    const at = this.#world.timeline.now;
    const done = advanceCoordinator(this.state, { at: unixMs(at), event });
    if ('rejected' in done) {
      const { code, evidence } = done.rejected;
      this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1);
      if (evidence.length > 0) this.proofs.push(done.rejected);
      return { kind: 'refused', rejection: done.rejected };
    }
    let receipt: Envelope | undefined;
    try {
      for (const effect of done.accepted.effects) {
        this.#burn();
        if (effect.kind === 'persist') {
          const { emitted, event: persisted } = effect;
          const record = { version: 1, atUnixMs: BigInt(at), emitted: [...emitted], event: persisted };
          this.disk.append(encode(CoordinatorRecord, record));
          this.state = done.accepted.state;
        } else if (effect.kind === 'answer') receipt = effect.receipt;
        else this.#run(effect);
      }
      this.#burn();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.#world.killedCoordinator(error.message);
      return undefined;
    }
    this.state = done.accepted.state;
    this.changed();
    return { kind: 'answered', receipt };
  }

  /** A trap that was set to go off some effects after its record. */
  #burn(): void {
    if (this.disk.fuse === undefined) return;
    if (this.disk.fuse-- <= 0) throw new Killed('after');
  }

  #run(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case 'store-blob':
        this.keep(effect.bytes);
        return;
      case 'compute-sum':
      case 'check-fingerprints':
      case 'open-sum':
        this.#compute(effect);
        return;
      case 'forget-attempt':
        this.#dropUploads(`${hex(effect.rid)}/${effect.attempt}/`);
        return;
      case 'append':
        if (effect.first !== this.log.length) throw new Error('entries are not appended where they belong');
        this.log.push(...effect.entries);
        return;
      case 'publish':
      case 'persist':
      case 'answer':
      case 'notify':
      case 'closed':
    }
  }

  #compute(effect: Computation): void {
    const { plan, attempt } = effect.context;
    const name = `${effect.kind} ${hex(plan.rid)}.${attempt.attempt}`;
    if (this.#computing.has(name)) return;
    this.#computing.add(name);
    const { life } = this;
    const { timeline, random } = this.#world;
    timeline.after(1 + random.below(200), () => {
      if (this.life !== life) return;
      const event = computed(this, effect, this.#world.oracle);
      this.#computing.delete(name);
      if (event !== undefined) this.feed(event);
    });
  }

  keep(bytes: Uint8Array): BlobRef {
    const blob = blobOf(bytes);
    this.blobs.set(hex(blob.sha256), bytes);
    return blob;
  }

  readonly missingInputs = (round: ClosedRound): BlobRef[] => this.missing.get(hex(round.plan.rid)) ?? [];

  rejects(opened: Int32Array): boolean {
    return this.#world.rejects(opened);
  }

  #dropUploads(prefix: string): void {
    for (const name of this.uploads.keys()) if (name.startsWith(prefix)) this.uploads.delete(name);
  }

  #dropOldUploads(): void {
    const kept: string[] = [];
    for (const { open, closed } of this.state.jobs.values()) {
      if (open !== undefined) kept.push(`${hex(open.plan.rid)}/${open.attempt.context.attempt.attempt}/`);
      for (const { plan, acks, result } of closed)
        if (result !== undefined && acks.size < plan.t) kept.push(`${hex(plan.rid)}/`);
    }
    for (const name of this.uploads.keys())
      if (!kept.some((prefix) => name.startsWith(prefix))) this.uploads.delete(name);
  }

  /** A silo's stream from its cursor on; false when nobody is there. */
  open(silo: SiloId, stream: Stream): boolean {
    if (!this.up) return false;
    this.#streams.set(silo, stream);
    this.#goneSince.delete(silo);
    this.changed();
    return true;
  }

  close(silo: SiloId): void {
    const stream = this.#streams.get(silo);
    if (stream === undefined) return;
    stream.open = false;
    this.#streams.delete(silo);
    this.#goneSince.set(silo, this.#world.timeline.now);
    this.#world.streamClosed(stream);
    if (this.up) this.changed();
  }

  presenceOf(silo: SiloId): true | UnixMs {
    return this.#streams.has(silo) ? true : unixMs(this.#goneSince.get(silo) ?? this.#started);
  }

  changed(): void {
    if (this.#pumping || !this.up) return;
    this.#pumping = true;
    const { life } = this;
    this.#world.timeline.after(1, () => {
      this.#pumping = false;
      if (this.life !== life) {
        this.changed();
        return;
      }
      for (const [silo, stream] of [...this.#streams]) this.#pump(silo, stream);
      this.#schedule();
    });
  }

  #pump(silo: SiloId, stream: Stream): void {
    const directives = directivesFor(this.state, silo, this.missingInputs, stream.cursor);
    this.#world.oracle.directives(silo, directives);
    for (const directive of directives) {
      stream.cursor = directive.sequence;
      this.#push(stream, directive);
      if (!stream.open) return;
    }
  }

  #push(stream: Stream, directive: Directive): void {
    for (const told of this.#world.told(stream.silo, directive))
      this.#world.network.push(stream, () => {
        this.#world.deliver(stream, told);
      });
  }

  /** What is due now is fed; otherwise somebody looks again when something may be. */
  #schedule(): void {
    const { timeline } = this.#world;
    const now = unixMs(timeline.now);
    let wake = Infinity;
    const checkpoint = dueCheckpoint(this.state, now);
    if (checkpoint.event !== undefined) {
      this.feed(checkpoint.event);
      if (!this.up) return;
    } else wake = checkpoint.again ?? Infinity;
    for (const job of this.state.jobs.values()) {
      const due = dueFor(this.state, job, now, (silo) => this.presenceOf(silo));
      if (due.event !== undefined) {
        const answer = this.feed(due.event);
        if (answer?.kind === 'refused') wake = Math.min(wake, now + REFUSED_PAUSE_MS);
        if (!this.up) return;
      } else if (due.again !== undefined) wake = Math.min(wake, due.again);
    }
    if (wake === Infinity) return;
    const turn = ++this.#wake;
    timeline.at(wake, () => {
      if (turn === this.#wake) this.changed();
    });
  }
}
