// A consortium in a world where things go wrong: processes, network and script put together, run until all is done or time is up.

import { type SiloId } from '../../src/base/index.js';
import { type CoordinatorJob, type Plan, type SiloEvent, type SiloPolicy } from '../../src/protocol/index.js';
import { decode, Directive, encode, SubmitRequest } from '../../src/wire/index.js';
import { Random } from '../fuzz/random.js';
import { proofOver } from '../support/log-tree.js';
import { found, manifestOf, signManifest, type Founded } from '../support/memory/founding.js';
import { SimCoordinator } from './coordinator.js';
import { Broken, type Answer, type Outgoing, type SiloFace } from './face.js';
import { checkEnd } from './ending.js';
import { inputSegment } from './inputs.js';
import { Liar } from './liar.js';
import { misbehave } from './misdeeds.js';
import { Network, type Stream } from './network.js';
import { Oracle } from './oracle.js';
import { quicken } from './quick-crypto.js';
import { COORDINATOR_PROCESS, maliciousOf, QUIET_AFTER_MS, type Operation, type Script } from './script.js';
import { SimSilo } from './silo.js';
import { Timeline } from './timeline.js';
import type { World } from './world.js';
import type { SiloAccepted, SiloBug } from './wrap.js';

quicken();

const START = 1_000_000;
const STEPS_MAX = 3_000_000;

export interface Plant {
  /** A bug of every silo, to see an oracle catch it. */
  readonly silo?: SiloBug;
  /** Silos believe whatever sum is published. */
  readonly trusting?: boolean;
  /** No proof shows a silo that a checkpoint which it has passed unseen belongs to its log. */
  readonly proofless?: boolean;
  /** Messages that never arrive. */
  readonly loses?: (silo: number, type: string, ms: number) => boolean;
  /** Hands out parts that are in no script of random faults: see attacks.ts. */
  readonly cast?: (simulation: Simulation) => void;
}

/** How much went on. */
export interface Tally {
  readonly steps: number;
  readonly virtualMs: number;
  readonly rounds: number;
  readonly attempts: number;
  readonly abandoned: number;
  readonly repeated: number;
  readonly acks: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly refusals: ReadonlyMap<string, number>;
}

export class Simulation implements World {
  readonly timeline = new Timeline(START);
  readonly random: Random;
  readonly network: Network;
  readonly founded: Founded;
  readonly policy: SiloPolicy = { minCohort: 3, minHonest: 2, maxMalicious: 0, roundsPerDay: 1000, graph: 'regular' };
  readonly oracle: Oracle;
  readonly silos: SimSilo[];
  readonly coordinator: SimCoordinator;
  readonly #malicious: ReadonlySet<number>;
  readonly #liar: Liar;
  readonly #down = new Map<string, number>();
  /** What a coordinator that plays a part tells in the place of a directive. */
  tells: (silo: number, directive: Directive) => readonly Directive[] = (_, directive) => [directive];
  rejects: (opened: Int32Array) => boolean = () => false;
  /** What is lost on its way at the moment. */
  readonly #losing = new Set<string>();

  constructor(
    readonly script: Script,
    readonly plant: Plant = {},
  ) {
    this.random = new Random(script.seed, 'run', 0);
    this.network = new Network(this.timeline, this.random);
    this.founded = founded(script.silos, script.log === true);
    this.#malicious = maliciousOf(script);
    const setBack = new Set(script.operations.flatMap((one) => (one.kind === 'rollback' ? [one.silo] : [])));
    this.oracle = new Oracle(
      this.founded.silos,
      (silo) => this.isMalicious(silo),
      (silo) => setBack.has(silo),
    );
    this.silos = this.founded.silos.map((id, index) => new SimSilo(this, id, index));
    this.coordinator = new SimCoordinator(this);
    this.#liar = new Liar(this);
    this.network.onCut = (silo) => {
      this.coordinator.close(this.silos[silo]!.id);
    };
    for (let job = 1; job <= script.jobs; job++) {
      const { rounds: roundLimit, malicious: maxMalicious } = script;
      const layout = { segments: [inputSegment(script.silos)] };
      const { absent, minCohort = 3 } = script.graph ?? {};
      const graph = absent === undefined ? undefined : { absent };
      const terms = { jobId: `job-${job}`, roundLimit, maxMalicious, minCohort, layout, graph };
      const manifest = manifestOf(this.founded, terms);
      this.coordinator.feed({ $case: 'jobCreated', value: { manifest: signManifest(this.founded, manifest) } });
    }
    for (const silo of this.silos) silo.begin();
    for (const operation of script.operations) this.#apply(operation);
    plant.cast?.(this);
    // After the last fault everything heals; what is down comes up by itself.
    this.timeline.at(START + QUIET_AFTER_MS, () => {
      this.network.heal();
      for (const { disk } of [...this.silos, this.coordinator]) disk.traps.clear();
    });
  }

  #apply(operation: Operation): void {
    const at = (ms: number, act: () => void): void => {
      this.timeline.at(START + ms, act);
    };
    switch (operation.kind) {
      case 'link':
        at(operation.at, () => {
          this.network.disturb(
            operation.silo,
            operation.fault,
            Math.min(operation.forMs, QUIET_AFTER_MS - operation.at),
          );
        });
        return;
      case 'lose': {
        const what = `${operation.silo} ${operation.type}`;
        at(operation.at, () => this.#losing.add(what));
        at(operation.at + operation.forMs, () => this.#losing.delete(what));
        return;
      }
      case 'kill':
        at(operation.at, () => {
          this.network.count('killed');
          this.#kill(operation.who, operation.forMs);
        });
        return;
      case 'trap': {
        const { disk } = operation.who === COORDINATOR_PROCESS ? this.coordinator : this.silos[operation.who]!;
        disk.traps.set(operation.record, { edge: operation.edge, effects: operation.effects });
        this.#down.set(String(operation.who), operation.forMs);
        return;
      }
      case 'rollback':
        this.#rollback(operation.silo, operation.at, operation.back, at);
        return;
      case 'misdeed':
        misbehave(this.silos[operation.silo]!, operation, this.founded, (what) => {
          this.network.count(what);
        });
        return;
      case 'lie':
        at(operation.at, () => {
          this.oracle.honestCoordinator = false;
          this.#liar.begin(operation);
        });
        at(operation.at + operation.forMs, () => {
          this.#liar.end(operation);
        });
        return;
      case 'no-input':
    }
  }

  /** The disk of a silo as it was `back` records ago. */
  #rollback(index: number, ms: number, back: number, at: (ms: number, act: () => void) => void): void {
    const { disk } = index === COORDINATOR_PROCESS ? this.coordinator : this.silos[index]!;
    at(ms, () => {
      this.network.count('rolled back');
      disk.forget(back);
      this.#kill(index, 500);
    });
  }

  #kill(who: number, forMs: number): void {
    const one = who === COORDINATOR_PROCESS ? this.coordinator : this.silos[who]!;
    if (!one.up) return;
    one.die();
    if (one instanceof SimSilo) this.coordinator.close(one.id);
    const { life } = one;
    this.timeline.after(forMs, () => {
      if (one.life !== life) return;
      one.restart();
    });
  }

  killed(silo: SiloFace, edge: string): void {
    this.network.count(`trap ${edge}`);
    this.#kill(silo.index, this.#down.get(String(silo.index)) ?? 0);
  }

  killedCoordinator(edge: string): void {
    this.network.count(`trap ${edge}`);
    this.#kill(COORDINATOR_PROCESS, this.#down.get(String(COORDINATOR_PROCESS)) ?? 0);
  }

  wrap(silo: SiloFace, event: SiloEvent, accepted: SiloAccepted): SiloAccepted {
    const next = this.plant.silo?.(event, accepted) ?? accepted;
    this.oracle.accepted(silo, event, next.effects);
    return next;
  }

  told(silo: number, directive: Directive): readonly Directive[] {
    return this.tells(silo, directive).flatMap((one) => this.#liar.told(silo, one));
  }

  deliver(stream: Stream, directive: Directive): void {
    const silo = this.silos[stream.silo]!;
    if (silo.up && silo.stream === stream)
      silo.receive(decode(Directive, 'directive', encode(Directive, directive), 1 << 24));
  }

  openStream(face: SiloFace): boolean {
    const silo = this.silos[face.index]!;
    if (!this.isThere(silo.index)) return false;
    const stream = { silo: silo.index, cursor: silo.cursor, last: 0, open: true };
    silo.stream = stream;
    return this.coordinator.open(silo.id, stream);
  }

  streamClosed(stream: Stream): void {
    const silo = this.silos[stream.silo]!;
    if (silo.stream === stream) silo.lostStream();
  }

  cut(silo: SiloId): void {
    this.coordinator.close(silo);
  }

  submit(silo: SiloFace, out: Outgoing, answered: (answer: Answer | undefined) => void): void {
    const request = { envelope: out.envelope, ciphertexts: [...out.ciphertexts] };
    const bytes = encode(SubmitRequest, request);
    this.#liar.forkFor(silo.index)?.collect(out.envelope);
    const { type } = out.envelope;
    const isLost = this.#losing.has(`${silo.index} ${type}`);
    if (isLost) this.network.count(`${type} lost`);
    if (isLost || this.plant.loses?.(silo.index, type, this.timeline.now - START) === true) {
      this.timeline.after(1_500, () => {
        answered(undefined);
      });
      return;
    }
    this.network.call(
      silo.index,
      () => this.coordinator.submit(silo.id, decode(SubmitRequest, 'submit', bytes, 1 << 24)),
      answered,
    );
  }

  upload(silo: SiloFace, rid: Uint8Array, attempt: number, bytes: Uint8Array): boolean | undefined {
    if (!this.isThere(silo.index)) return undefined;
    return this.coordinator.upload(silo.id, rid, attempt, bytes);
  }

  fetch(silo: SiloFace, sha256: Uint8Array): Uint8Array | undefined {
    return this.isThere(silo.index) ? this.coordinator.fetch(silo.id, sha256) : undefined;
  }

  readLog(silo: SiloFace, from: number, to: number): readonly Uint8Array[] | undefined {
    const entries = this.isThere(silo.index) ? this.coordinator.readLog(from, to) : undefined;
    if (entries === undefined) return undefined;
    const told = this.#liar.forkFor(silo.index)?.entries(from, to) ?? entries;
    this.oracle.histories.served(silo.id, from, told);
    return told;
  }

  proveLog(silo: SiloFace, from: number, to: number): readonly Uint8Array[] | undefined {
    const entries = this.isThere(silo.index) ? this.coordinator.readLog(0, to) : undefined;
    if (entries === undefined) return undefined;
    this.network.count('checkpoint passed unseen');
    if (this.plant.proofless === true) return [];
    return proofOver(this.#liar.forkFor(silo.index)?.entries(0, to) ?? entries, from);
  }

  isThere(silo: number): boolean {
    return this.coordinator.up && this.network.reachable(silo);
  }

  get trusting(): boolean {
    return this.plant.trusting === true;
  }

  get sameInputs(): boolean {
    return this.script.sameInputs === true;
  }

  hasNoInput(silo: number, { jobId, round }: Pick<Plan, 'jobId' | 'round'>): boolean {
    return this.script.operations.some(
      (one) =>
        one.kind === 'no-input' &&
        one.silo === silo &&
        one.round === round &&
        (one.job === undefined || jobId === `job-${one.job}`),
    );
  }

  isMalicious(silo: number): boolean {
    return this.#malicious.has(silo);
  }

  /** Runs to the end and checks it. Throws Broken. */
  run(): Tally {
    const rounds = this.script.rounds * this.script.jobs;
    const { timeline } = this;
    // Sum of the phase timeouts, the step of complaints and the release query included: 10 + 10 + 10 + 60 + 10 + 10 + 10 s.
    const limit = START + QUIET_AFTER_MS + (rounds + 1) * 3 * 120_000;
    while (timeline.next !== undefined && timeline.next <= limit && !this.#finished()) {
      if (timeline.steps > STEPS_MAX) throw new Broken(`${STEPS_MAX} steps and no end`);
      timeline.step();
    }
    checkEnd(this, START + QUIET_AFTER_MS);
    return this.#tally();
  }

  /** Every job has stopped, everybody has acknowledged all of it, and nobody has anything to say any more. */
  #finished(): boolean {
    if (this.timeline.now < START + QUIET_AFTER_MS && this.#lateOperations()) return false;
    if (!this.coordinator.up) return false;
    const jobs = [...this.coordinator.state.jobs.values()];
    return (
      jobs.every((job) => job.status !== 'offered' && job.status !== 'running') &&
      this.silos.every((silo) => silo.up && silo.pending === 0 && jobs.every((job) => this.#isThrough(silo, job)))
    );
  }

  #isThrough({ id, state }: SimSilo, { approvals, manifest }: CoordinatorJob): boolean {
    return !approvals.has(id) || state.jobs.get(manifest.jobId)?.ended === true;
  }

  #lateOperations(): boolean {
    return this.script.operations.some((one) => 'at' in one && START + one.at > this.timeline.now);
  }

  /** Every code that anybody refused something with, told an operator, or barred somebody for. */
  codes(): Set<string> {
    const barred = [...this.coordinator.state.jobs.values()].flatMap((job) => [...job.barred.values()]);
    const told = [this.coordinator, ...this.silos].flatMap(({ rejections }) => [...rejections.keys()]);
    const noticed = this.silos.flatMap(({ notices }) => [...notices.keys()]);
    return new Set([...barred.map(({ code }) => code), ...told, ...noticed]);
  }

  #tally(): Tally {
    const closed = [...this.coordinator.state.jobs.values()].flatMap((job) => job.closed);
    const refusals = new Map(this.coordinator.rejections);
    for (const silo of this.silos)
      for (const [code, times] of silo.rejections) refusals.set(code, (refusals.get(code) ?? 0) + times);
    return {
      steps: this.timeline.steps,
      virtualMs: this.timeline.now - START,
      rounds: closed.length,
      attempts: closed.reduce((sum, round) => sum + round.attempt, 0),
      abandoned: closed.filter((round) => round.result === undefined).length,
      repeated: closed.filter((round) => round.attempt > 1).length,
      acks: this.oracle.acks,
      faults: this.network.counts,
      refusals,
    };
  }
}

const foundings = new Map<string, Founded>();

/** One founding for each size, with and without a log. */
function founded(n: number, log: boolean): Founded {
  const founding = `${n} ${String(log)}`;
  const known = foundings.get(founding);
  if (known !== undefined) return known;
  const made = found(n, { log });
  const keyOf = once((silo) => made.keyOf(silo));
  const cosigningKeyOf = once((silo) => made.cosigningKeyOf(silo));
  const remembered = { ...made, keyOf, cosigningKeyOf };
  foundings.set(founding, remembered);
  return remembered;
}

function once<V>(make: (silo: SiloId) => V): (silo: SiloId) => V {
  const made = new Map<SiloId, V>();
  return (silo) => {
    const known = made.get(silo) ?? make(silo);
    made.set(silo, known);
    return known;
  };
}
