// The coordinator at work: one queue of events through the state machine, effects strictly in order. What is answered is durable; a
// failed write ends the process, and a restart folds the journal and goes on.

import { isCodedError, unreachable, type Clock, type SiloId, type UnixMs } from '../src/base/index.js';
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
import { type ActRecord, type BlobRef, CoordinatorRecord, encode, type Envelope } from '../src/wire/index.js';
import { keepAct } from './acts.js';
import { Beside } from './beside.js';
import { Computation } from './compute.js';
import type { NotedAct } from './admin/index.js';
import { journalMismatch } from './errors.js';
import { KeptConvictions } from './kept-convictions.js';
import { LogRecovery } from './log-recovery.js';
import { MissingInputs } from './missing-inputs.js';
import { dropOldUploads, dropUploads } from './old-uploads.js';
import type { Peers, ReadUpload } from './peers.js';
import { PresenceBook } from './presence.js';
import { Schedule } from './schedule.js';
import { SeenBook } from './seen.js';
import { Refused } from './refused.js';
import { demandLengths, inputsOf } from './stored-inputs.js';
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
  /** Undefined where this is the only coordinator. */
  readonly peers?: Peers | undefined;
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
  readonly #missing: MissingInputs;
  readonly #beside: Beside;
  readonly #schedule: Schedule;
  #stopped = false;
  /** Feeds events itself; otherwise it reads what the one that leads has fed. */
  #leads = false;
  /** Of the journal, folded. */
  #records = 0;
  /** Events that wait for their turn, and the one whose turn it is. */
  queued = 0;
  readonly #convictions: KeptConvictions;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.store = options.store;
    this.presence = new PresenceBook(options.clock);
    this.seen = new SeenBook(options.store.sightings, options.clock);
    this.computation = new Computation(options.store, options.computer);
    this.#missing = new MissingInputs(options.store);
    this.#convictions = new KeptConvictions(options.store.journal);
    this.#state = initialCoordinatorState(options.self);
    const state = (): CoordinatorState => this.#state;
    const feed = async (what: string, event: CoordinatorEvent): Promise<void> => {
      try {
        await this.feed(event);
      } catch (error) {
        if (error instanceof Refused) this.#tellRefused(what, error);
        // Whether it is refused cannot be known while the database is away; what is due is still due afterwards.
        else if (!isCodedError(error) || error.code !== 'coordinator/not-leading') throw error;
      }
    };
    const fatal = (error: unknown): void => {
      if (!this.#stopped) this.#fail(error);
    };
    const { computation, presence } = this;
    this.#beside = new Beside({ computation, missing: this.#missing, state, feed, fatal });
    this.#schedule = new Schedule({ clock: options.clock, presence, state, feed, fatal });
  }

  /** Folds the journal; throws CoordinatorError `coordinator/journal-mismatch` when that gives other bytes than were sent. */
  static async start(options: ServiceOptions): Promise<CoordinatorService> {
    const service = new CoordinatorService(options);
    if (options.peers === undefined) await service.lead();
    else await service.follow();
    return service;
  }

  /** From now on events are fed here. The caller has seen to it that nobody else does. */
  lead(): Promise<void> {
    return this.#inTurn(async () => {
      const { store, log, clock } = this.#options;
      await this.#fold();
      await demandLengths(this.#state, store.uploads);
      this.#leads = true;
      await this.#dropOldUploads();
      await this.#convictions.keep(this.#state, clock.now());
      log.info('program.recovered', { records: this.#records });
      for (const effect of pendingComputations(this.#state)) this.#beside.compute(effect);
      this.changed();
    });
  }

  /** Reads what the one that leads has fed. */
  follow(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#leads) return;
      await this.#fold();
      this.#missing.reload();
      this.seen.reload();
      this.changed();
    });
  }

  /** A refusal may rest on the state when it resolves. Throws coordinator/not-leading. */
  async newest(): Promise<void> {
    await this.#options.peers?.newest();
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** Records of the journal that the state comes from. */
  get records(): number {
    return this.#records;
  }

  async #fold(): Promise<void> {
    const { journal, log } = this.#options.store;
    const recovery = new LogRecovery(log, initialCoordinatorState(this.#options.self));
    for await (const { bytes, sequence } of journal.readFrom(JOURNAL, this.#records + 1)) {
      this.#replay(bytes, sequence, recovery);
      this.#records = sequence;
    }
    await recovery.finish(this.#state);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #dropOldUploads(): Promise<void> {
    return dropOldUploads(() => this.#state, this.store.uploads);
  }

  #replay(bytes: Uint8Array, sequence: number, recovery: LogRecovery): void {
    const done = replayCoordinator(this.#state, bytes, (first, entries) => {
      recovery.take(first, entries);
    });
    if (!done.ok) throw journalMismatch(sequence, done.error);
    this.#state = done.value;
  }

  /** With the roster in force. */
  get self(): CoordinatorSelf {
    return this.#state.self;
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

  /**
   * Feeds an event, or has the one that leads do so; resolves with the receipt, if there is one, when what it changed is durable. `upload`:
   * what the root in a masked header was computed from. Throws Refused.
   */
  async feed(event: CoordinatorEvent, upload?: ReadUpload): Promise<Envelope | undefined> {
    const { peers } = this.#options;
    if (peers !== undefined && !this.#leads) return peers.forward(event, upload);
    this.queued++;
    const receipt = await this.#inTurn(() => this.#step(event, upload)).finally(() => this.queued--);
    // A threshold of acknowledgements may be complete.
    if (event.$case === 'messageReceived' && event.value.envelope?.type === 'ack') await this.#dropOldUploads();
    return receipt;
  }

  /** Writes down what somebody did through the admin API; false where there is no room for more. */
  keepAct(record: ActRecord): Promise<boolean> {
    const { peers } = this.#options;
    return peers !== undefined && !this.#leads ? peers.forwardAct(record) : keepAct(this.store.journal, record);
  }

  async #step(event: CoordinatorEvent, upload: ReadUpload | undefined): Promise<Envelope | undefined> {
    if (this.#stopped) throw unavailable('the coordinator is stopping.');
    if (upload !== undefined && (await this.store.uploads.generationOf(upload.name)) !== upload.generation)
      throw unavailable('the upload was begun anew meanwhile.');
    const at = this.#options.clock.now();
    const done = advanceCoordinator(this.#state, { at, event });
    if ('rejected' in done) {
      await this.newest();
      await this.#refused(done.rejected, at, upload);
      throw new Refused(done.rejected);
    }
    let receipt: Envelope | undefined;
    try {
      for (const effect of done.accepted.effects) {
        if (effect.kind === 'persist') {
          await this.#persist(effect.event, effect.emitted, at);
          this.#records += 1;
          const append = done.accepted.effects.find((one) => one.kind === 'append');
          if (append !== undefined) await this.store.log.append(append.entries);
          // Only now is it so: whoever asks sees what is durable.
          this.#state = done.accepted.state;
        } else if (effect.kind === 'answer') receipt = effect.receipt;
        else await this.#run(effect);
      }
      await this.#convictions.keep(done.accepted.state, at);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#state = done.accepted.state;
    tell(this.#options.log, this.#state, event);
    this.changed();
    return receipt;
  }

  async #refused(rejection: Rejection, at: UnixMs, upload: ReadUpload | undefined): Promise<void> {
    const record = evidenceOf(rejection, at);
    try {
      if (record !== undefined) await this.store.journal.appendAtMost(EVIDENCE_JOURNAL, record, EVIDENCE_RECORDS_MAX);
      // Bytes that are not what was signed: the next upload starts from nothing. In our turn, so that none is lost that has a receipt.
      if (rejection.code === 'mask/root-differs' && upload !== undefined && !this.#isConfirmed(upload)) {
        this.computation.roots.forget(upload.name);
        await this.store.uploads.delete(upload.name);
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #isConfirmed({ name }: ReadUpload): boolean {
    return inputsOf(this.#state).some((input) => input.name === name);
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
        this.#beside.compute(effect);
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

  /** For the transparency log alone: resolves when the act stands in it. */
  async note({ entry, subject, jobId, round = 0, action, objects }: NotedAct): Promise<void> {
    // An erasure changes what is known of its round, too.
    if (this.#state.log === undefined && entry !== 'erasure') return;
    const value = { entry, subject, jobId, round, action, objects: [...objects] };
    await this.feed({ $case: 'actNoted', value });
  }

  readonly missingInputs = (round: ClosedRound): BlobRef[] => this.#missing.of(round.plan.rid);

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

  /** Nothing is taken any more: what was written and what is believed may differ. */
  #fail(error: unknown): void {
    this.#stopped = true;
    this.#schedule.stop();
    this.#options.fatal(error);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
    if (this.#leads && !this.#stopped) this.#schedule.look();
  }

  /** Of our own: mostly something else happened first, and the state has moved on. An operator looks when it goes on for long. */
  #tellRefused(what: string, { code, message }: Refused): void {
    this.#options.log.debug('round.notice', { refused: what, code, detail: message });
  }

  /** Ends after the event under way; nothing is accepted any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#schedule.stop();
    await this.#queue.catch(() => undefined);
  }
}

function unavailable(detail: string): Refused {
  return new Refused({ code: 'transport/unavailable', detail, category: 'unavailable' });
}
