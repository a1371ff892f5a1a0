// The coordinator at work: one queue of events through the state machine, effects strictly in order. What is answered is durable; a
// failed write ends the process, and a restart folds the journal and goes on.

import { hex, unreachable, type Clock, type SiloId, type UnixMs } from '../src/base/index.js';
import {
  advanceCoordinator,
  dueCheckpoint,
  dueFor,
  EVIDENCE_JOURNAL,
  EVIDENCE_RECORDS_MAX,
  evidenceOf,
  initialCoordinatorState,
  pendingComputations,
  type ClosedRound,
  replayCoordinator,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorSelf,
  type CoordinatorState,
  type Rejection,
} from '../src/protocol/index.js';
import { failpoint } from '../src/system/index.js';
import type { Log } from '../src/telemetry/index.js';
import type { CallerCertificate } from '../src/transport/index.js';
import { BlobRef, CoordinatorRecord, decode, encode, type Envelope } from '../src/wire/index.js';
import { Computation } from './compute.js';
import { CoordinatorError, journalMismatch } from './errors.js';
import { LogRecovery } from './log-recovery.js';
import { PresenceBook } from './presence.js';
import { SeenBook } from './seen.js';
import { Refused } from './refused.js';
import { demandLengths } from './stored-inputs.js';
import { attemptPrefix, keepBlob, uploadName, uploadPrefix, type Store } from './store.js';

export const JOURNAL = 'events';
/** Nothing is due for longer than this: a wake-up costs nothing and bounds the effect of a clock that was set. */
const LONGEST_SLEEP_MS = 60_000;
/** After an event that was due and refused: the state may never become such that it is accepted, and must not be asked without pause. */
const REFUSED_PAUSE_MS = 1_000;

export interface ServiceOptions {
  readonly self: CoordinatorSelf;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the process: a write failed, or there is a bug. */
  readonly fatal: (error: unknown) => void;
}

export class CoordinatorService {
  readonly presence: PresenceBook;
  readonly seen: SeenBook;
  readonly computation: Computation;
  readonly store: Store;
  readonly #options: ServiceOptions;
  #state: CoordinatorState;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<() => void>();
  readonly #computing = new Set<string>();
  readonly #missingInputs = new Map<string, BlobRef[]>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Events that wait for their turn, and the one whose turn it is. */
  queued = 0;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.store = options.store;
    this.presence = new PresenceBook(options.clock);
    this.seen = new SeenBook(options.store.journal, options.clock);
    this.computation = new Computation(options.store);
    this.computation.sumBlob = (sumHash) => this.#sumBlob(sumHash);
    this.#state = initialCoordinatorState(options.self);
  }

  /** Folds the journal; throws CoordinatorError `coordinator/journal-mismatch` when that gives other bytes than were sent. */
  static async start(options: ServiceOptions): Promise<CoordinatorService> {
    const service = new CoordinatorService(options);
    let records = 0;
    const recovery = new LogRecovery(options.store.log, service.#state);
    for await (const { bytes, sequence } of options.store.journal.readAll(JOURNAL)) {
      service.#replay(bytes, sequence, recovery);
      records++;
    }
    await recovery.finish(service.#state);
    for (const key of options.store.journal.keys('missing/')) service.#loadMissing(key);
    await demandLengths(service.#state, options.store.uploads);
    await service.dropOldUploads();
    options.log.info('program.recovered', { records });
    for (const effect of pendingComputations(service.#state)) service.#compute(effect);
    service.#schedule();
    return service;
  }

  #replay(bytes: Uint8Array, sequence: number, recovery: LogRecovery): void {
    const done = replayCoordinator(this.#state, bytes, (first, entries) => {
      recovery.take(first, entries);
    });
    if (!done.ok) throw journalMismatch(sequence, done.error);
    this.#state = done.value;
  }

  get self(): CoordinatorSelf {
    return this.#options.self;
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  /** `listener` runs after every accepted event and when somebody comes or goes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Feeds an event; resolves with the receipt, if there is one, when what it changed is durable. Throws Refused. */
  feed(event: CoordinatorEvent): Promise<Envelope | undefined> {
    this.queued++;
    const turn = this.#queue.then(() => this.#step(event)).finally(() => this.queued--);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #step(event: CoordinatorEvent): Promise<Envelope | undefined> {
    if (this.#stopped)
      throw new Refused({
        code: 'transport/unavailable',
        detail: 'the coordinator is stopping.',
        category: 'unavailable',
      });
    const at = this.#options.clock.now();
    const done = advanceCoordinator(this.#state, { at, event });
    if ('rejected' in done) {
      await this.#keepEvidence(done.rejected, at);
      throw new Refused(done.rejected);
    }
    let receipt: Envelope | undefined;
    try {
      for (const effect of done.accepted.effects) {
        if (effect.kind === 'persist') {
          await this.#persist(effect.event, effect.emitted, at);
          const append = done.accepted.effects.find((one) => one.kind === 'append');
          if (append !== undefined) await this.store.log.append(append.entries);
          // Only now is it so: whoever asks sees what is durable.
          this.#state = done.accepted.state;
        } else if (effect.kind === 'answer') receipt = effect.receipt;
        else await this.#run(effect);
      }
    } catch (error) {
      this.#stopped = true;
      this.#options.fatal(error);
      throw error;
    }
    this.#state = done.accepted.state;
    this.#tell(event);
    this.changed();
    return receipt;
  }

  async #keepEvidence(rejection: Rejection, at: UnixMs): Promise<void> {
    const record = evidenceOf(rejection, at);
    if (record === undefined) return;
    try {
      await this.store.journal.appendAtMost(EVIDENCE_JOURNAL, record, EVIDENCE_RECORDS_MAX);
    } catch (error) {
      this.#stopped = true;
      this.#options.fatal(error);
      throw error;
    }
  }

  async #persist(event: CoordinatorEvent, emitted: readonly Envelope[], at: number): Promise<void> {
    failpoint(`coordinator.before-persist.${event.$case}`);
    const record = encode(CoordinatorRecord, { version: 1, atUnixMs: BigInt(at), emitted: [...emitted], event });
    await this.store.journal.append(JOURNAL, [record]);
    failpoint(`coordinator.after-persist.${event.$case}`);
  }

  async #run(effect: CoordinatorEffect): Promise<void> {
    switch (effect.kind) {
      case 'store-blob':
        await keepBlob(this.store.blobs, effect.bytes);
        return;
      case 'compute-sum':
      case 'check-fingerprints':
      case 'open-sum':
        this.#compute(effect);
        return;
      case 'forget-attempt':
        this.computation.forget(effect.rid, effect.attempt);
        await this.#dropUploads(attemptPrefix(effect.rid, effect.attempt));
        return;
      case 'closed':
        this.#logClosed(effect.jobId, effect.round);
        return;
      case 'publish':
        await this.store.log.publish(effect.note);
        return;
      case 'persist':
      // Appended together with it.
      case 'append':
      case 'answer':
      case 'notify':
        return;
      default:
        unreachable(effect);
    }
  }

  /** Runs beside the queue and feeds what it finds; the state machine refuses what has become pointless meanwhile. */
  #compute(effect: CoordinatorEffect): void {
    if (effect.kind !== 'compute-sum' && effect.kind !== 'check-fingerprints' && effect.kind !== 'open-sum') return;
    const { plan, attempt } = effect.context;
    const name = `${effect.kind} ${hex(plan.rid)}.${String(attempt.attempt)}`;
    if (this.#computing.has(name)) return;
    this.#computing.add(name);
    const work = async (): Promise<void> => {
      if (effect.kind === 'open-sum') await this.#keepMissing(effect);
      const event = await this.#answerOf(effect);
      await this.feed(event);
    };
    work().then(
      () => this.#computing.delete(name),
      (error: unknown) => {
        this.#computing.delete(name);
        if (this.#stopped) return;
        if (error instanceof Refused) {
          this.#tellRefused(effect.kind, error);
          return;
        }
        this.#stopped = true;
        this.#options.fatal(error);
      },
    );
  }

  #answerOf(
    effect: Extract<CoordinatorEffect, { kind: 'compute-sum' | 'check-fingerprints' | 'open-sum' }>,
  ): Promise<CoordinatorEvent> {
    if (effect.kind === 'compute-sum') return this.computation.computeSum(effect);
    if (effect.kind === 'check-fingerprints') return this.computation.checkFingerprints(effect);
    return this.computation.openSum(effect, this.#state);
  }

  /** Inputs whose fingerprint is missing become blobs that silos may fetch. */
  async #keepMissing(effect: Extract<CoordinatorEffect, { kind: 'open-sum' }>): Promise<void> {
    if (effect.missing.length === 0) return;
    const { plan, attempt } = effect.context;
    const refs: BlobRef[] = [];
    for (const index of [...effect.missing].sort((a, b) => a - b)) {
      const upload = await this.store.uploads.upload(uploadName(plan.rid, attempt.attempt, index));
      const pieces: Uint8Array[] = [];
      for await (const piece of upload.readChunks(1 << 20)) pieces.push(piece);
      refs.push(await keepBlob(this.store.blobs, Buffer.concat(pieces)));
    }
    const key = `missing/${hex(plan.rid)}`;
    await this.store.journal.put(key, Buffer.concat(refs.map((ref) => frame(encode(BlobRef, ref)))));
    this.#loadMissing(key);
  }

  #loadMissing(key: string): void {
    const bytes = this.store.journal.get(key);
    if (bytes === undefined) return;
    const refs: BlobRef[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes[at] ?? 0;
      refs.push(decode(BlobRef, 'blob reference', bytes.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    this.#missingInputs.set(key.slice('missing/'.length), refs);
  }

  readonly missingInputs = (round: ClosedRound): BlobRef[] => this.#missingInputs.get(hex(round.plan.rid)) ?? [];

  #sumBlob(sumHash: string): string {
    for (const job of this.#state.jobs.values()) {
      const attempt = job.open?.attempt;
      if (attempt?.sum !== undefined && attempt.survivors !== undefined && hex(attempt.survivors.sumHash) === sumHash)
        return hex(attempt.sum.sha256);
    }
    throw new CoordinatorError('coordinator/no-blob', 'there is no sum with this hash.');
  }

  /**
   * Masked inputs are kept while their attempt is open, and of a round with a result until a threshold of its cohort has acknowledged.
   * All others go, whenever a crash came between the end of theirs and their deletion.
   */
  async dropOldUploads(): Promise<void> {
    const kept: string[] = [];
    for (const { open, closed } of this.#state.jobs.values()) {
      if (open !== undefined) kept.push(attemptPrefix(open.plan.rid, open.attempt.context.attempt.attempt));
      for (const { plan, acks, result } of closed)
        if (result !== undefined && acks.size < plan.t) kept.push(uploadPrefix(plan.rid));
    }
    for (const name of this.store.uploads.names())
      if (!kept.some((prefix) => name.startsWith(prefix))) await this.store.uploads.delete(name);
  }

  async #dropUploads(prefix: string): Promise<void> {
    for (const name of this.store.uploads.names()) if (name.startsWith(prefix)) await this.store.uploads.delete(name);
  }

  /** What an operator wants to read in the log. */
  #tell(event: CoordinatorEvent): void {
    const { log } = this.#options;
    if (event.$case === 'jobCreated') {
      const job = [...this.#state.jobs.values()].at(-1);
      log.info('job.created', { job: job?.manifest.jobId });
    } else if (event.$case === 'orderGiven') {
      const taken = this.#state.orders.at(-1)?.order;
      log.info('order.taken', {
        number: Number(taken?.number),
        by: taken?.signer,
        order: taken?.action.kind,
        reason: taken?.reason,
      });
    } else if (event.$case === 'jobStopped') {
      const { jobId, state, reason } = event.value;
      log.info('job.stopped', { job: jobId, state, reason });
    } else if (event.$case === 'roundOpened' || event.$case === 'phaseClosed') {
      const { jobId } = event.value;
      const open = [...this.#state.jobs.values()].find((job) => job.manifest.jobId === jobId)?.open;
      if (open === undefined) return;
      const { phase, context } = open.attempt;
      log.info('round.phase', { job: jobId, round: open.plan.round, attempt: context.attempt.attempt, phase });
    }
  }

  #logClosed(jobId: string, number: number): void {
    const job = [...this.#state.jobs.values()].find((one) => one.manifest.jobId === jobId);
    const round = job?.closed.find((one) => one.plan.round === number);
    if (round === undefined) return;
    this.#options.log.info('round.closed', {
      job: jobId,
      round: number,
      attempt: round.attempt,
      cohort: round.plan.n,
      survivors: round.survivors.length,
      ending: round.result === undefined ? 'abandoned' : 'result',
      ms: round.endedAt - round.startedAt,
    });
  }

  opened(silo: SiloId, agentVersion: string, certificate: CallerCertificate): void {
    this.presence.opened(silo);
    this.#noted(this.seen.came(silo, agentVersion, certificate));
    this.#options.log.info('silo.connected', { silo });
    this.changed();
  }

  closed(silo: SiloId): void {
    this.presence.closed(silo);
    this.#noted(this.seen.left(silo));
    this.#options.log.info('silo.gone', { silo });
    this.changed();
  }

  #noted(written: Promise<unknown>): void {
    written.catch((error: unknown) => {
      if (!this.#stopped) this.#options.fatal(error);
    });
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
    this.#schedule();
  }

  /** Does what is due now, for every job, and sleeps until something will be. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const now = this.#options.clock.now();
    let wake = now + LONGEST_SLEEP_MS;
    const checkpoint = dueCheckpoint(this.#state, now);
    if (checkpoint.event !== undefined) {
      this.#feedDue(checkpoint.event);
      wake = Math.min(wake, now + REFUSED_PAUSE_MS);
    } else if (checkpoint.again !== undefined) wake = Math.min(wake, checkpoint.again);
    for (const job of this.#state.jobs.values()) {
      const due = dueFor(this.#state, job, now, (silo) => this.#state.denied.get(silo)?.at ?? this.presence.of(silo));
      if (due.event !== undefined) {
        this.#feedDue(due.event);
        // If it is accepted, the schedule is made anew; if not, somebody has to look again, and other jobs must not wait for this one.
        wake = Math.min(wake, now + REFUSED_PAUSE_MS);
      } else if (due.again !== undefined) wake = Math.min(wake, due.again);
    }
    this.#timer = setTimeout(
      () => {
        this.#schedule();
      },
      Math.max(1, wake - now),
    );
  }

  #feedDue(event: CoordinatorEvent): void {
    this.feed(event).catch((error: unknown) => {
      if (this.#stopped) return;
      if (error instanceof Refused) this.#tellRefused(event.$case, error);
      else this.#options.fatal(error);
    });
  }

  /** Of our own: mostly something else happened first, and the state has moved on. An operator looks when it goes on for long. */
  #tellRefused(what: string, { code, message }: Refused): void {
    this.#options.log.debug('round.notice', { refused: what, code, detail: message });
  }

  /** Ends after the event under way; nothing is accepted any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#queue.catch(() => undefined);
  }
}

function frame(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}
