// Several coordinators on one store. One leads: it holds the lease, feeds events and writes the journal. The others read what it writes, so
// that each can serve any silo from a state of its own, take uploads, hand messages on, and take over when the one that leads falls silent.

import { performance } from 'node:perf_hooks';
import { asSiloId, type SiloId } from '../../src/base/index.js';
import type { CoordinatorEvent } from '../../src/protocol/index.js';
import { isAway, type SharedStore, type Topic } from '../../src/storage/index.js';
import { failpoint } from '../../src/system/index.js';
import { errorFields, type Log } from '../../src/telemetry/index.js';
import type { ActRecord, Envelope, ForwardedDone } from '../../src/wire/index.js';
import type { Peers, ReadUpload } from '../peers.js';
import type { CoordinatorService } from '../service.js';
import { actRequest, answerOf, eventRequest, notLeading, readAnswer } from './forwarding.js';
import { PartialSums } from './partial-sums.js';
import { Repeated } from './repeated.js';

/** How long an answer of the one that leads is waited for: longer than a takeover. */
const ANSWER_MS = 20_000;
/** How long news that were told of may take to come. */
const CATCH_UP_MS = 10_000;
/** Bells may be missed: everything is looked at again after this while. */
const LOOK_MS = 1_000;
const TIDY_MS = 30_000;

export interface ClusterOptions {
  readonly shared: SharedStore;
  readonly log: Log;
  /** Ends the process. */
  readonly fatal: (error: unknown) => void;
}

export class Cluster implements Peers {
  readonly #options: ClusterOptions;
  #service: CoordinatorService | undefined;
  #sums: PartialSums | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #answering = new Set<string>();
  #attended = '';
  #stopped = false;
  #awayTold = false;
  /** Times that this process began to lead. */
  takeovers = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  get #shared(): SharedStore {
    return this.#options.shared;
  }

  get #aliveMs(): number {
    return 2 * this.#shared.lease.ttlMs;
  }

  /** Of the lease, for whoever watches. */
  get lease(): { readonly held: boolean; readonly token: number; readonly takeovers: number } {
    const { token } = this.#shared.lease;
    return { held: token !== undefined, token: token ?? 0, takeovers: this.takeovers };
  }

  /** Joins the others; resolves when this process leads, or has seen that another does. */
  async join(service: CoordinatorService): Promise<void> {
    this.#service = service;
    const { bell, lease } = this.#shared;
    const { log } = this.#options;
    this.#sums = new PartialSums({
      shared: this.#shared,
      computation: service.computation,
      log,
      aliveMs: this.#aliveMs,
    });
    service.computation.gather = this.#sums.gather;
    await bell.listen();
    bell.on((topic) => {
      this.#heard(topic);
    });
    service.onChange(() => void this.#attend.run());
    await this.#attend.run();
    await this.#stand.run();
    this.#every(LOOK_MS, () => {
      this.#heard(undefined);
    });
    this.#every(lease.ttlMs / 3, () => void this.#renew.run());
    this.#every(TIDY_MS, () => void this.#tidy.run());
  }

  /** Hands over: another leads at once. The service has stopped. */
  async leave(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(
      [this.#stand, this.#renew, this.#follow, this.#answer, this.#attend, this.#tidy].map((one) => one.idle()),
    );
    await this.#shared.meeting.leave().catch(() => undefined);
    await this.#shared.lease.release().catch(() => undefined);
  }

  async forward(event: CoordinatorEvent, upload?: ReadUpload): Promise<Envelope | undefined> {
    return (await this.#asked(eventRequest(event, upload))).receipt;
  }

  async forwardAct(record: ActRecord): Promise<boolean> {
    return (await this.#asked(actRequest(record))).written;
  }

  async newest(): Promise<void> {
    const { lease, database, journal } = this.#shared;
    try {
      // Whoever has just taken the lease leads only once it has folded what the one before had written last.
      if (this.#running.leads) {
        if (await lease.isOurs()) return;
      } else {
        // Found out at once where the database is away: `refresh` would wait for it.
        await database.once('SELECT 1', [], lease.ttlMs);
        await journal.refresh();
        await this.#running.follow();
        return;
      }
    } catch (error) {
      if (isAway(error)) throw notLeading('the database does not answer.');
      throw error;
    }
    throw notLeading('another coordinator leads by now.');
  }

  async #asked(body: Uint8Array): Promise<ForwardedDone> {
    failpoint('cluster.before-ask');
    const answer = await this.#shared.meeting.ask(body, ANSWER_MS);
    failpoint('cluster.after-ask');
    if (answer === undefined) throw notLeading('the coordinator that leads gave no answer.');
    const done = readAnswer(answer);
    await this.#caughtUp(Number(done.records));
    return done;
  }

  /** Whoever is answered finds here what the answer tells of. */
  async #caughtUp(records: number): Promise<void> {
    const service = this.#running;
    const until = performance.now() + CATCH_UP_MS;
    while (service.records < records && performance.now() < until) {
      const heard = this.#shared.bell.heard('journal', 100);
      await this.#follow.run();
      if (service.records < records) await heard;
    }
  }

  #heard(topic: Topic | undefined): void {
    if (this.#stopped) return;
    const leads = this.#shared.lease.token !== undefined;
    if (!leads && (topic === undefined || topic === 'lease')) void this.#stand.run();
    if (!leads && (topic === undefined || topic === 'journal')) void this.#follow.run();
    if (leads && (topic === undefined || topic === 'request')) void this.#answer.run();
    if (topic === undefined || topic === 'coordinator') void this.#meet.run();
  }

  get #running(): CoordinatorService {
    if (this.#service === undefined) throw notLeading('the coordinator is starting.');
    return this.#service;
  }

  /** Takes the lease when nobody holds it, and leads. */
  readonly #stand = this.#work(async () => {
    const { lease, journal, database } = this.#shared;
    // While the database was away nobody could renew a lease: who held it comes first.
    if (lease.token !== undefined || database.backForMs < lease.ttlMs || !(await lease.take())) return;
    try {
      failpoint('cluster.before-lead');
      // What the one before committed is all there by now, and nothing comes after it.
      await journal.refresh();
      await this.#running.lead();
      failpoint('cluster.after-lead');
    } catch (error) {
      this.#options.fatal(error);
      return;
    }
    this.takeovers += 1;
    this.#options.log.info('lease.taken', { token: lease.token, records: this.#running.records });
    await this.#shared.sweep();
    void this.#answer.run();
  });

  readonly #renew = this.#work(async () => {
    const { lease, meeting } = this.#shared;
    await meeting.beat();
    if (lease.token !== undefined) await lease.renew();
  });

  readonly #follow = this.#work(async () => {
    if (this.#shared.lease.token !== undefined) return;
    await this.#shared.journal.refresh();
    await this.#running.follow();
    await this.#sums?.offer(this.#running.state);
  });

  readonly #answer = this.#work(async () => {
    if (!this.#running.leads) return;
    for (const { id, body } of await this.#shared.meeting.asked()) {
      if (this.#answering.has(id)) continue;
      this.#answering.add(id);
      void this.#answerOne(id, body).finally(() => this.#answering.delete(id));
    }
  });

  async #answerOne(id: string, body: Uint8Array): Promise<void> {
    const answer = await answerOf(this.#running, body);
    if (answer === undefined) return;
    try {
      failpoint('cluster.before-answer');
      await this.#shared.meeting.answer(id, answer);
      failpoint('cluster.after-answer');
    } catch (error) {
      if (!this.#stopped) this.#options.fatal(error);
    }
  }

  /** Tells the others which silos have a stream to this process. */
  readonly #attend = this.#work(async () => {
    const silos = this.#running.presence.here;
    const text = silos.join(' ');
    if (this.#attended === text && text !== '') return;
    await this.#shared.meeting.attend(silos);
    this.#attended = text;
  });

  /** Hears it from the others. */
  readonly #meet = this.#work(async () => {
    const others = await this.#shared.meeting.others(this.#aliveMs);
    const silos = new Set<SiloId>();
    for (const { silos: theirs } of others)
      for (const name of theirs) {
        const silo = asSiloId(name);
        if (silo !== undefined) silos.add(silo);
      }
    if (this.#running.presence.setElsewhere(silos)) this.#running.changed();
  });

  readonly #tidy = this.#work(async () => {
    if (this.#running.leads) await this.#sums?.tidy(this.#running.state);
  });

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms));
  }

  /** Done again soon where the database is away; anything else ends the process. */
  #work(work: () => Promise<void>): Repeated {
    return new Repeated(async () => {
      if (this.#stopped) return;
      const { log, fatal } = this.#options;
      try {
        await work();
        // Not all work asks the database.
        if (!this.#awayTold || this.#shared.database.isAway) return;
        this.#awayTold = false;
        log.info('storage.back');
      } catch (error) {
        if (this.#isStopped()) return;
        if (isAway(error)) {
          if (!this.#awayTold) log.warn('storage.away', errorFields(error));
          this.#awayTold = true;
        } else fatal(error);
      }
    });
  }

  #isStopped(): boolean {
    return this.#stopped;
  }
}
