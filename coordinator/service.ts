// The coordinator at work: one queue of events through the state machine, effects strictly in order. What is answered is durable; a
// failed write ends the process, and a restart folds the journal and goes on.

import { hex, unreachable, type Clock, type SiloId, type UnixMs } from '../src/base/index.js';
import {
  advanceCoordinator,
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
import type { Computer } from '../src/compute/index.js';
import { failpoint } from '../src/system/index.js';
import type { Log } from '../src/telemetry/index.js';
import type { CallerCertificate } from '../src/transport/index.js';
import { type BlobRef, CoordinatorRecord, encode, type Envelope } from '../src/wire/index.js';
import { Computation } from './compute.js';
import { dueNow } from './due.js';
import type { NotedAct } from './admin/index.js';
import { CoordinatorError, journalMismatch } from './errors.js';
import { KeptConvictions } from './kept-convictions.js';
import { LogRecovery } from './log-recovery.js';
import { MissingInputs } from './missing-inputs.js';
import { dropOldUploads, dropUploads } from './old-uploads.js';
import { PresenceBook } from './presence.js';
import { SeenBook } from './seen.js';
import { Refused } from './refused.js';
import { demandLengths } from './stored-inputs.js';
import { attemptPrefix, keepBlob, type Store } from './store.js';
import { tell, tellClosed } from './telling.js';

export const JOURNAL = 'events';

export interface ServiceOptions {
  readonly self: CoordinatorSelf;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** For vector work. */
  readonly computer: Computer;
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
  readonly #missing: MissingInputs;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Events that wait for their turn, and the one whose turn it is. */
  queued = 0;
  readonly #convictions: KeptConvictions;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.store = options.store;
    this.presence = new PresenceBook(options.clock);
    this.seen = new SeenBook(options.store.journal, options.clock);
    this.computation = new Computation(options.store, options.computer);
    this.#missing = new MissingInputs(options.store);
    this.#convictions = new KeptConvictions(options.store.journal);
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
    await demandLengths(service.#state, options.store.uploads);
    await dropOldUploads(service.#state, options.store.uploads);
    await service.#convictions.keep(service.#state, options.clock.now());
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
      await this.#convictions.keep(done.accepted.state, at);
    } catch (error) {
      this.#stopped = true;
      this.#options.fatal(error);
      throw error;
    }
    this.#state = done.accepted.state;
    tell(this.#options.log, this.#state, event);
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
        await dropUploads(this.store.uploads, attemptPrefix(effect.rid, effect.attempt));
        return;
      case 'closed':
        tellClosed(this.#options.log, this.#state, effect.jobId, effect.round);
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
      if (effect.kind === 'open-sum') await this.#missing.keep(effect);
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

  /** For the transparency log alone: resolves when the act stands in it. */
  async note({ entry, subject, jobId, round = 0, action, objects }: NotedAct): Promise<void> {
    // An erasure changes what is known of its round, too.
    if (this.#state.log === undefined && entry !== 'erasure') return;
    const value = { entry, subject, jobId, round, action, objects: [...objects] };
    await this.feed({ $case: 'actNoted', value });
  }

  readonly missingInputs = (round: ClosedRound): BlobRef[] => this.#missing.of(round.plan.rid);

  #sumBlob(sumHash: string): string {
    for (const job of this.#state.jobs.values()) {
      const attempt = job.open?.attempt;
      if (attempt?.sum !== undefined && attempt.survivors !== undefined && hex(attempt.survivors.sumHash) === sumHash)
        return hex(attempt.sum.sha256);
    }
    throw new CoordinatorError('coordinator/no-blob', 'there is no sum with this hash.');
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
    const { events, wake } = dueNow(this.#state, now, (silo) => this.presence.of(silo));
    for (const event of events) this.#feedDue(event);
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
