// A whole consortium in memory on a virtual clock: the real state machines of both roles, every message through its wire encoding.
// Tests steer it by hooks: what is delivered, what is sent, who is up.

import { hex, unixMs, type SiloId } from '../../../src/base/index.js';
import {
  advanceCoordinator,
  directivesFor,
  dueCheckpoint,
  dueFor,
  firstEntry,
  equalEnvelopes,
  initialCoordinatorState,
  layoutOfRound,
  pendingComputations,
  sumHasher,
  type ClosedRound,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  type Rejection,
  type SiloPolicy,
} from '../../../src/protocol/index.js';
import { sumWidth, unpackInto, unpackWords } from '../../../src/vector/index.js';
import {
  CoordinatorRecord,
  decode,
  Directive,
  encode,
  SubmitRequest,
  type BlobRef,
  type Envelope,
  type JobManifest,
} from '../../../src/wire/index.js';
import { proofOver } from '../log-tree.js';
import { found, manifestOf, openPolicy, signManifest, type Founded } from './founding.js';
import { demandOrder, nameOf } from './order.js';
import { MemorySilo } from './silo.js';
import {
  blobOf,
  bytesOf,
  changedSum,
  fingerprintsOf,
  hashSum,
  judgeByHash,
  openSum,
  rootOf,
  sumInputs,
  type Judge,
} from './vectors.js';

export interface Hooks {
  /** False: the directive is not delivered this time. */
  deliver?: (silo: MemorySilo, directive: Directive) => boolean | Directive;
  /** False: the message does not arrive. */
  arrive?: (silo: MemorySilo, envelope: Envelope) => boolean;
  /** True: the coordinator is killed right after this record of its journal and started again. */
  crashAfter?: (records: number) => boolean;
  /** Replaces Y before it is announced. */
  lieAboutSum?: (sum: Float64Array) => void;
}

export class MemoryConsortium {
  readonly founded: Founded;
  readonly silos: MemorySilo[];
  coordinator: CoordinatorState;
  readonly journal: Uint8Array[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly uploads = new Map<string, Uint8Array>();
  readonly rejections: { silo: SiloId; rejection: Rejection }[] = [];
  readonly openedSums = new Map<number, Int32Array>();
  readonly goneSince = new Map<SiloId, number>();
  /** Entries of the transparency log. */
  readonly log: Uint8Array[] = [];
  hooks: Hooks = {};
  time = 1_000_000;
  #todo: CoordinatorEvent[] = [];
  readonly #judge: Judge;
  #second = '';

  constructor(
    n: number,
    options: { manifest?: Partial<JobManifest>; policy?: SiloPolicy; log?: boolean; judge?: Judge } = {},
  ) {
    this.#judge = options.judge ?? judgeByHash;
    this.founded = found(n, { log: options.log ?? false });
    this.coordinator = this.#initial();
    if (this.coordinator.log !== undefined) this.log.push(firstEntry(this.founded.roster.hash));
    const world = {
      now: () => this.time,
      judge: this.#judge,
      submit: (silo: SiloId, envelope: Envelope, ciphertexts: readonly Uint8Array[]) => {
        this.#submit(silo, envelope, ciphertexts);
      },
      upload: (silo: SiloId, rid: Uint8Array, attempt: number, bytes: Uint8Array) =>
        this.uploads.set(`${hex(rid)}/${attempt}/${silo}`, bytes),
      fetch: (name: string) => this.blobs.get(name) ?? new Uint8Array(),
      readLog: (from: number, to: number) => this.log.slice(from, to),
      proveLog: (from: number, to: number) => proofOver(this.log.slice(0, to), from),
    };
    this.silos = this.founded.silos.map(
      (id, i) => new MemorySilo(this.founded, id, i, options.policy ?? openPolicy, world),
    );
    const manifest = signManifest(this.founded, manifestOf(this.founded, options.manifest));
    this.feed({ $case: 'jobCreated', value: { manifest } });
    for (const silo of this.silos) silo.hello();
  }

  #initial(): CoordinatorState {
    const { coordinatorKey, logKey, roster } = this.founded;
    return initialCoordinatorState({ signingKey: coordinatorKey, logKey, roster });
  }

  /** The first, or the one that runs after it. */
  get job(): NonNullable<ReturnType<CoordinatorState['jobs']['get']>> {
    const [first, ...later] = [...this.coordinator.jobs.values()];
    return later.find(({ manifest }) => manifest.jobId === this.#second) ?? first!;
  }

  /** Offers another job, once the first one is over, and makes it the one that everything here is about. */
  next(message: JobManifest): void {
    this.#second = message.jobId;
    this.feed({ $case: 'jobCreated', value: { manifest: signManifest(this.founded, message) } });
  }

  /** Kills the coordinator: only journal, blobs and uploads stay; then folds the journal again. */
  restartCoordinator(): void {
    this.coordinator = this.#initial();
    this.#todo = [];
    for (const bytes of this.journal) {
      const record = decode(CoordinatorRecord, 'record', bytes, 1 << 24);
      const done = advanceCoordinator(this.coordinator, { at: unixMs(Number(record.atUnixMs)), event: record.event! });
      if (!('accepted' in done)) throw new Error(`replay rejected: ${done.rejected.code} ${done.rejected.detail}`);
      this.coordinator = done.accepted.state;
      for (const effect of done.accepted.effects)
        if (effect.kind === 'append')
          this.log.push(...effect.entries.slice(Math.max(0, this.log.length - effect.first)));
      const emitted = done.accepted.effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : []));
      if (
        emitted.length !== record.emitted.length ||
        !emitted.every((one, k) => equalEnvelopes(one, record.emitted[k]!))
      )
        throw new Error('replay gave other bytes');
    }
    for (const effect of pendingComputations(this.coordinator)) this.#run(effect);
    for (const silo of this.silos) silo.cursor = 0n;
  }

  /** Runs until nothing more happens or `rounds` rounds are closed, advancing the virtual clock to whatever is due. */
  run(rounds = Infinity, maxSteps = 10_000): void {
    for (let step = 0; step < maxSteps; step++) {
      if (this.job.closed.length >= rounds) return;
      if (this.#deliverAll()) continue;
      if (!this.#passTime()) return;
    }
    throw new Error('the consortium did not come to rest');
  }

  /** Delivers everything that can be delivered now, without letting time pass beyond what is due at once. */
  settle(): void {
    while (this.#deliverAll() || this.#dueNow());
  }

  #deliverAll(): boolean {
    let moved = this.#drain();
    for (const silo of this.silos) {
      if (!silo.up || this.coordinator.denied.has(silo.id) || !this.#isMember(silo.id)) continue;
      const directives = directivesFor(this.coordinator, silo.id, (round) => this.#missing(round));
      demandOrder(silo, directives);
      for (const directive of directives) {
        if (directive.sequence <= silo.cursor) continue;
        const wire = decode(Directive, 'directive', encode(Directive, directive), 1 << 24);
        silo.told.add(nameOf(directive));
        const verdict = this.hooks.deliver?.(silo, wire) ?? true;
        if (verdict === false) continue;
        silo.handle(verdict === true ? wire : verdict);
        moved = true;
        if (silo.cursor < directive.sequence) break;
      }
    }
    return this.#drain() || moved;
  }

  #drain(): boolean {
    let moved = false;
    for (let event = this.#todo.shift(); event !== undefined; event = this.#todo.shift()) {
      this.feed(event);
      moved = true;
    }
    return moved;
  }

  #dueNow(): boolean {
    const checkpoint = dueCheckpoint(this.coordinator, unixMs(this.time));
    if (checkpoint.event !== undefined) {
      this.feed(checkpoint.event);
      return true;
    }
    const due = dueFor(this.coordinator, this.job, unixMs(this.time), (silo) => this.#presence(silo));
    if (due.event === undefined) return false;
    this.feed(due.event);
    return true;
  }

  #passTime(): boolean {
    if (this.#dueNow()) return true;
    const due = dueFor(this.coordinator, this.job, unixMs(this.time), (silo) => this.#presence(silo));
    const again = earlier(due.again, dueCheckpoint(this.coordinator, unixMs(this.time)).again);
    if (again === undefined || again <= this.time) return false;
    this.time = again;
    return this.#dueNow() || this.job.status === 'running' || this.job.status === 'offered';
  }

  /** Whoever the roster in force does not have is cut off. */
  #isMember(id: SiloId): boolean {
    return this.coordinator.self.roster.members.has(id);
  }

  #presence(id: SiloId): true | ReturnType<typeof unixMs> {
    const denied = this.coordinator.denied.get(id);
    if (denied !== undefined) return denied.at;
    const silo = this.silos.find((one) => one.id === id)!;
    if (silo.up && this.#isMember(id)) {
      this.goneSince.delete(id);
      return true;
    }
    if (!this.goneSince.has(id)) this.goneSince.set(id, this.time);
    return unixMs(this.goneSince.get(id)!);
  }

  #submit(id: SiloId, envelope: Envelope, ciphertexts: readonly Uint8Array[]): void {
    const silo = this.silos.find((one) => one.id === id)!;
    if (this.hooks.arrive?.(silo, envelope) === false) return;
    const request = decode(
      SubmitRequest,
      'submit',
      encode(SubmitRequest, { envelope, ciphertexts: [...ciphertexts] }),
      1 << 24,
    );
    this.receive(id, request);
  }

  /** What the transport does with a message under a silo's certificate. */
  receive(id: SiloId, request: SubmitRequest): void {
    const open = this.job.open;
    const upload =
      open === undefined
        ? undefined
        : this.uploads.get(`${hex(open.plan.rid)}/${open.attempt.context.attempt.attempt}/${id}`);
    const computedRoot =
      request.envelope?.type === 'masked-header' && upload !== undefined ? rootOf(upload) : new Uint8Array();
    const value = { siloId: id, envelope: request.envelope, ciphertexts: request.ciphertexts, computedRoot };
    this.feed({ $case: 'messageReceived', value }, id);
  }

  feed(event: CoordinatorEvent, from?: SiloId): void {
    const done = advanceCoordinator(this.coordinator, { at: unixMs(this.time), event });
    if ('rejected' in done) {
      if (from === undefined) throw new Error(`${done.rejected.code}: ${done.rejected.detail}`);
      this.rejections.push({ silo: from, rejection: done.rejected });
      return;
    }
    if (done.accepted.state !== this.coordinator && !done.accepted.effects.some(({ kind }) => kind === 'persist'))
      throw new Error(`the coordinator changes its state by ${event.$case} and its journal does not know`);
    this.coordinator = done.accepted.state;
    for (const effect of done.accepted.effects) {
      this.#run(effect, event, from);
      if (effect.kind === 'persist' && this.hooks.crashAfter?.(this.journal.length) === true) {
        this.restartCoordinator();
        return;
      }
    }
  }

  #run(effect: CoordinatorEffect, event?: CoordinatorEvent, from?: SiloId): void {
    switch (effect.kind) {
      case 'store-blob':
        this.#keep(effect.bytes);
        return;
      case 'persist':
        this.journal.push(
          encode(CoordinatorRecord, {
            version: 1,
            atUnixMs: BigInt(this.time),
            emitted: [...effect.emitted],
            event: effect.event,
          }),
        );
        return;
      case 'append':
        if (effect.first !== this.log.length) throw new Error('entries are not appended where they belong');
        this.log.push(...effect.entries);
        return;
      case 'answer':
        if (effect.receipt !== undefined && from !== undefined && event?.$case === 'messageReceived')
          this.#receipt(from, effect.receipt);
        return;
      case 'compute-sum':
        this.#todo.push(this.#computeSum(effect));
        return;
      case 'check-fingerprints':
        this.#todo.push(this.#checkFingerprints(effect));
        return;
      case 'open-sum':
        this.#todo.push(this.#openSum(effect));
        return;
      case 'notify':
      case 'publish':
      case 'forget-attempt':
      case 'closed':
    }
  }

  #receipt(id: SiloId, receipt: Envelope): void {
    const silo = this.silos.find((one) => one.id === id)!;
    const open = this.job.open!;
    if (silo.up)
      silo.feed({
        $case: 'receiptReceived',
        value: { rid: open.plan.rid, attempt: open.attempt.context.attempt.attempt, receipt },
      });
  }

  #keep(bytes: Uint8Array): BlobRef {
    const blob = blobOf(bytes);
    this.blobs.set(hex(blob.sha256), bytes);
    return blob;
  }

  #uploadsOf(
    effect: { context: Extract<CoordinatorEffect, { kind: 'compute-sum' }>['context'] },
    indices: Iterable<number>,
  ): Uint8Array[] {
    const { plan, attempt } = effect.context;
    return [...indices].map((index) => this.uploads.get(`${hex(plan.rid)}/${attempt.attempt}/${plan.cohort[index]!}`)!);
  }

  #computeSum(effect: Extract<CoordinatorEffect, { kind: 'compute-sum' }>): CoordinatorEvent {
    const { plan, manifest, attempt } = effect.context;
    const { length } = layoutOfRound(manifest, plan.round);
    let bytes = sumInputs(this.#uploadsOf(effect, effect.inputs.keys()), length, manifest.modulusBits);
    if (this.hooks.lieAboutSum !== undefined)
      bytes = changedSum(bytes, length, manifest.modulusBits, this.hooks.lieAboutSum);
    const sumHash = hashSum(bytes);
    this.blobs.set(`sum ${hex(sumHash)}`, bytes);
    return {
      $case: 'sumComputed',
      value: { rid: plan.rid, attempt: attempt.attempt, sumHash, sum: this.#keep(bytes) },
    };
  }

  #checkFingerprints(effect: Extract<CoordinatorEffect, { kind: 'check-fingerprints' }>): CoordinatorEvent {
    const { plan, attempt, manifest } = effect.context;
    const { length } = layoutOfRound(manifest, plan.round);
    const lying = [...effect.fingerprints].filter(([index, { taus }]) => {
      const words = unpackWords(this.#uploadsOf(effect, [index])[0]!, length, manifest.modulusBits);
      const own = fingerprintsOf(words, effect.survivors);
      return own[0] !== taus[0] || own[1] !== taus[1];
    });
    return {
      $case: 'fingerprintsChecked',
      value: { rid: plan.rid, attempt: attempt.attempt, lying: lying.map(([index]) => index) },
    };
  }

  #openSum(effect: Extract<CoordinatorEffect, { kind: 'open-sum' }>): CoordinatorEvent {
    const { plan, attempt, manifest } = effect.context;
    const sums = new Float64Array(layoutOfRound(manifest, plan.round).length);
    unpackInto(sums, this.blobs.get(`sum ${hex(effect.survivors.sumHash)}`)!, sumWidth(manifest.modulusBits));
    const words = openSum(effect, sums);
    this.openedSums.set(plan.round, words);
    const opened = bytesOf(words);
    const openedHash = sumHasher('opened').update(opened).digest();
    this.blobs.set(`opened ${hex(openedHash)}`, opened);
    return {
      $case: 'sumOpened',
      value: {
        rid: plan.rid,
        attempt: attempt.attempt,
        openedHash,
        opened: this.#keep(opened),
        endsJob: false,
        ...this.#judge(effect.context, words, effect.survivors.members.size),
        modelState: new Uint8Array(),
        metrics: [],
      },
    };
  }

  #missing(round: ClosedRound): BlobRef[] {
    return (round.result?.missing ?? []).map((index) => {
      const bytes = this.uploads.get(`${hex(round.plan.rid)}/${round.attempt}/${round.plan.cohort[index]!}`)!;
      return this.#keep(bytes);
    });
  }
}

function earlier<T extends number>(a: T | undefined, b: T | undefined): T | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
