// The agent at work: directives come in one after the other, each becomes an event of the silo's state machine, effects run strictly in
// order. Long work (training, uploading, verifying) runs beside the queue and comes back as an event.

import { isCodedError, LIMITS, unixMs, type Clock, type CodedError, type Rng, type UnixMs } from '../src/base/index.js';
import type { Computer } from '../src/compute/index.js';
import type { AgentConfig } from '../src/config/index.js';
import {
  advanceSilo,
  equalEnvelopes,
  EVIDENCE_JOURNAL,
  EVIDENCE_RECORDS_MAX,
  evidenceOf,
  initialSiloState,
  replaySilo,
  type Rejection,
  type SiloEvent,
  type SiloJournalledEvent,
  type SiloSelf,
  type SiloState,
} from '../src/protocol/index.js';
import { failpoint } from '../src/system/index.js';
import type { Log } from '../src/telemetry/index.js';
import type { SiloClient } from '../src/transport/index.js';
import { decode, encode, SiloRecord, type Directive, type Envelope } from '../src/wire/index.js';
import { Alarm } from './alarm.js';
import { Background, isOfDisk } from './background.js';
import { inputHashOf, type LocalWork } from './contribute.js';
import { eventOf } from './directive.js';
import { Effects, type RunEffect } from './effects.js';
import { journalMismatch } from './errors.js';
import type { Offers } from './offers.js';
import { Forgetting } from './forgetting.js';
import { forgetInput, inputName } from './input-store.js';
import { isPassing, Outbox, pause } from './outbox.js';
import type { Store } from './store.js';
import { Tasks } from './tasks.js';
import { tell, tellRejected } from './telling.js';
import { noteIn, Witness } from './witness.js';

export const JOURNAL = 'events';
/** Between tries to fetch what a directive names. */
const RETRY_MS = 1_000;
const UPLOAD_AGAIN_MAX_MS = 30_000;
const NONCE_BYTES = 32;
/** Before a Hello that came too often is said again. */
const HELLO_PAUSE_MS = 5 * 60_000;

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly self: SiloSelf;
  readonly store: Store;
  readonly offers: Offers;
  readonly client: SiloClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** For vector work. */
  readonly computer: Computer;
  /** DuckDB and ONNX Runtime unless given. */
  readonly work?: LocalWork | undefined;
  /** Ends the process: a write failed, or there is a bug. */
  readonly fatal: (error: unknown) => void;
}

export class Agent {
  readonly #options: AgentOptions;
  readonly #outbox: Outbox;
  readonly #tasks: Tasks;
  readonly #witness: Witness;
  readonly #background: Background;
  readonly #forgetting: Forgetting;
  /** Rings when it is time to forget and nothing happens that would be an occasion. */
  readonly #alarm: Alarm;
  readonly #effects: Effects;
  readonly #stop = new AbortController();
  #watching = new AbortController();
  #state: SiloState;
  #queue: Promise<unknown> = Promise.resolve();
  #cursor = 0n;
  /** Counts how often everything was asked for again: a directive under way then must not move the cursor. */
  #reading = 0;
  /** Uploads in a row of which the coordinator holds other bytes. */
  #spoiled = 0;

  private constructor(options: AgentOptions) {
    this.#options = options;
    this.#state = initialSiloState(options.self);
    this.#forgetting = new Forgetting(options.config.retention.roundSecrets.hours);
    this.#alarm = new Alarm(options.clock, () => {
      this.#inTurn(() => this.#forget()).catch(() => undefined);
    });
    this.#background = new Background({
      signal: this.#stop.signal,
      fatal: options.fatal,
      onTrouble: (work, { code, message }) => {
        options.log.warn('round.notice', { work, code, detail: message });
      },
    });
    this.#tasks = new Tasks({
      ...options,
      background: this.#background,
      signal: this.#stop.signal,
      state: () => this.#state,
      feed: (event) => this.#feed(event),
      submit: (envelope) => {
        this.#outbox.send({ envelope, ciphertexts: [] });
      },
      watchAnew: () => {
        this.#watchAnew();
      },
    });
    this.#witness = new Witness({
      client: options.client,
      signal: this.#stop.signal,
      state: () => this.#state,
      feed: (event) => this.#feed(event),
    });
    this.#outbox = new Outbox({
      client: options.client,
      signal: this.#stop.signal,
      onAnswer: (envelope, { receipt }) => {
        if (receipt !== undefined) this.#onReceipt(envelope, receipt);
      },
      onRefused: (envelope, error) => {
        this.#onSubmitRefused(envelope, error);
      },
    });
    this.#effects = new Effects({
      store: options.store,
      log: options.log,
      outbox: this.#outbox,
      tasks: this.#tasks,
      work: (name, task) => {
        this.#work(name, task);
      },
      watchAnew: () => {
        this.#watchAnew();
      },
    });
  }

  /** Folds the journal; throws AgentError `agent/journal-mismatch` when that gives other bytes than were sent. */
  static async open(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options);
    let records = 0;
    for await (const { bytes, sequence } of options.store.journal.readAll(JOURNAL)) {
      agent.#replay(bytes, sequence);
      records++;
    }
    await agent.#dropOldInputs();
    options.log.info('program.recovered', { records });
    return agent;
  }

  /** An input outlives a crash between its round's end and its deletion; nothing will ask for it again. */
  async #dropOldInputs(): Promise<void> {
    const { inputs } = this.#options.store;
    const rounds = [...this.#state.jobs.values()].flatMap(({ open }) => (open === undefined ? [] : [open.plan]));
    const kept = new Set(rounds.map((plan) => inputName(inputHashOf(plan))));
    for (const name of await inputs.list()) if (!kept.has(name)) await forgetInput(this.#options.store, name);
  }

  get state(): SiloState {
    return this.#state;
  }

  #replay(bytes: Uint8Array, sequence: number): void {
    const done = replaySilo(this.#state, bytes);
    if (!done.ok) throw journalMismatch(sequence, done.error);
    this.#state = done.value;
    const { event, atUnixMs } = decode(SiloRecord, 'journal record', bytes, LIMITS.journalRecordBytes);
    if (event !== undefined) this.#forgetting.note(event, unixMs(Number(atUnixMs)));
  }

  /** Works until `stop`: watches the coordinator and the decisions of the silo's operator. */
  async run(): Promise<void> {
    const { offers, client, rng } = this.#options;
    await this.#feed({ $case: 'helloMade', value: { nonce: rng.bytes(NONCE_BYTES) } });
    // Written anew at each start: a crash may have come between the journal and the file.
    this.#work('roster', () => this.#tasks.keepRoster(this.#state.self.roster));
    const unwatch = offers.watch(() => {
      this.#tasks.readDecisions();
    });
    this.#tasks.readDecisions();
    try {
      while (!this.#stop.signal.aborted) {
        this.#watching = new AbortController();
        await client.watch(
          () => this.#cursor,
          (directive) => this.#onDirective(directive),
          AbortSignal.any([this.#stop.signal, this.#watching.signal]),
        );
      }
    } finally {
      unwatch();
    }
  }

  /** Ends after the event under way. Work that was under way begins again after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#alarm.clear();
    await this.#background.settled();
    await this.#queue.catch(() => undefined);
    await this.#tasks.close();
  }

  async #onDirective(directive: Directive): Promise<void> {
    const { client, rng, log } = this.#options;
    const reading = this.#reading;
    for (;;) {
      try {
        const note = noteIn(directive);
        if (note !== undefined) await this.#witness.read(note);
        const event = await eventOf(directive, client, rng, this.#stop.signal);
        if (event !== undefined) await this.#feedInOrder(event);
        break;
      } catch (error) {
        if (this.#isStopping()) return;
        if (!isCodedError(error) || isOfDisk(error)) throw error;
        log.warn('directive.refused', { directive: directive.body?.$case, code: error.code, detail: error.message });
        if (!isPassing(error)) break;
        await pause(RETRY_MS, this.#stop.signal);
      }
    }
    if (reading === this.#reading) this.#cursor = directive.sequence;
  }

  /** What is about a round after one whose result is still being verified waits for that: refused now, it would not come again. */
  async #feedInOrder(event: SiloEvent): Promise<void> {
    for (;;) {
      const refused = await this.#feed(event);
      const verifying = this.#background.underWay('verify');
      if (refused?.category !== 'state' || verifying === undefined) return;
      await verifying;
    }
  }

  #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Asks for everything again: something that was of no use before is of use now. */
  #watchAnew(): void {
    this.#reading++;
    this.#cursor = 0n;
    this.#watching.abort();
  }

  /** Resolves with why the event was refused, if it was. Nothing is begun any more while the agent stops. */
  #feed(event: SiloEvent): Promise<Rejection | undefined> {
    return this.#isStopping() ? Promise.resolve(undefined) : this.#inTurn(() => this.#step(event));
  }

  /** After everything that is queued. What it throws was told to `fatal` before. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #step(event: SiloEvent): Promise<Rejection | undefined> {
    const at = this.#options.clock.now();
    const done = advanceSilo(this.#state, { at, event });
    if ('rejected' in done) {
      tellRejected(this.#options.log, event, done.rejected);
      await this.#keepEvidence(done.rejected, at);
      return done.rejected;
    }
    try {
      for (const effect of done.accepted.effects) {
        if (effect.kind === 'persist') {
          await this.#persist(effect.event, effect.emitted, at);
          this.#state = done.accepted.state;
        } else this.#effects.run(effect);
      }
      this.#state = done.accepted.state;
    } catch (error) {
      this.#options.fatal(error);
      throw error;
    }
    // What came again and changed nothing is no news.
    if (done.accepted.effects.some((effect) => effect.kind === 'persist')) tell(this.#options.log, this.#state, event);
    await this.#forget();
    return undefined;
  }

  /** Erases the secrets of closed rounds when it is time, and otherwise sees to it that it is asked again then. */
  async #forget(): Promise<void> {
    const at = this.#options.clock.now();
    const events = this.#forgetting.due(this.#state, at);
    if (events.length > 0) await this.#erase(events, at);
    if (!this.#isStopping()) this.#alarm.set(this.#forgetting.dueAt(this.#state));
  }

  /** In one transaction with what takes the place of the erased records, and with word to the log. */
  async #erase(events: readonly SiloJournalledEvent[], at: UnixMs): Promise<void> {
    const { store, log, fatal } = this.#options;
    try {
      let state = this.#state;
      const records: Uint8Array[] = [];
      const sends: RunEffect[] = [];
      for (const event of events) {
        const done = advanceSilo(state, { at, event });
        if ('rejected' in done) throw journalMismatch(0, done.rejected.detail);
        state = done.accepted.state;
        for (const effect of done.accepted.effects)
          if (effect.kind === 'persist') records.push(recordOf(effect.event, effect.emitted, at));
          else sends.push(effect);
      }
      failpoint('silo.before-erase');
      await store.journal.transaction([
        { kind: 'drop-before', journal: JOURNAL },
        ...records.map((record) => ({ kind: 'append', journal: JOURNAL, record }) as const),
      ]);
      failpoint('silo.after-erase');
      this.#state = state;
      for (const event of events) this.#forgetting.note(event, at);
      for (const effect of sends) this.#effects.run(effect);
      log.info('secrets.erased', { records: records.length });
    } catch (error) {
      fatal(error);
      throw error;
    }
  }

  async #keepEvidence(rejection: Rejection, at: UnixMs): Promise<void> {
    const record = evidenceOf(rejection, at);
    if (record === undefined) return;
    try {
      await this.#options.store.journal.appendAtMost(EVIDENCE_JOURNAL, record, EVIDENCE_RECORDS_MAX);
    } catch (error) {
      this.#options.fatal(error);
      throw error;
    }
  }

  async #persist(event: SiloJournalledEvent, emitted: readonly Envelope[], at: UnixMs): Promise<void> {
    failpoint(`silo.before-persist.${event.$case}`);
    await this.#options.store.journal.append(JOURNAL, [recordOf(event, emitted, at)]);
    failpoint(`silo.after-persist.${event.$case}`);
    this.#forgetting.note(event, at);
  }

  #work(name: string, task: () => Promise<void>): void {
    this.#background.run(name, task);
  }

  #onReceipt(envelope: Envelope, receipt: Envelope): void {
    for (const { open } of this.#state.jobs.values()) {
      const masked = open?.attempt.masked;
      if (open === undefined || masked === undefined || !equalEnvelopes(masked.envelope, envelope)) continue;
      if (open.attempt.receipt === undefined) failpoint('silo.after-receipt');
      this.#spoiled = 0;
      const value = { rid: open.plan.rid, attempt: open.attempt.context.attempt.attempt, receipt };
      this.#feed({ $case: 'receiptReceived', value }).catch((error: unknown) => {
        this.#options.fatal(error);
      });
    }
  }

  /** A final no. The state machine has done its part; people are told, and the next directive decides what follows. */
  #onSubmitRefused(envelope: Envelope, error: CodedError): void {
    const { log } = this.#options;
    const late = error.code === 'message/late' || error.code === 'mask/closed';
    log[late ? 'info' : 'warn']('round.notice', { message: envelope.type, code: error.code, detail: error.message });
    if (error.code === 'mask/root-differs') this.#work('upload-again', () => this.#uploadAgain());
    if (error.code === 'log/hello-often') this.#work('hello-again', () => this.#helloAgain(envelope));
  }

  async #helloAgain(envelope: Envelope): Promise<void> {
    await pause(HELLO_PAUSE_MS, this.#stop.signal);
    this.#outbox.send({ envelope, ciphertexts: [] });
  }

  /** The bytes there are not ours: asked again, the upload starts from nothing. Later each time, for what spoils them may go on. */
  async #uploadAgain(): Promise<void> {
    await pause(Math.min(RETRY_MS * 2 ** this.#spoiled++, UPLOAD_AGAIN_MAX_MS), this.#stop.signal);
    this.#watchAnew();
  }
}

function recordOf(event: SiloJournalledEvent, emitted: readonly Envelope[], at: UnixMs): Uint8Array {
  return encode(SiloRecord, { version: 1, atUnixMs: BigInt(at), emitted: [...emitted], event });
}
