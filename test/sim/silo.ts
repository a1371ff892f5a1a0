// A silo's process: the real state machine, effects in order against a simulated disk, directives one after the other from a stream with a
// cursor, messages through an outbox that repeats them, and long work beside it. As silo-agent/agent.ts does it, on a virtual clock.

import { hex, unixMs, utf8, type SiloId } from '../../src/base/index.js';
import { sha256 } from '../../src/crypto/index.js';
import {
  advanceSilo,
  equalEnvelopes,
  initialSiloState,
  LogReading,
  Refusal,
  type Rejection,
  type SiloEffect,
  type SiloEvent,
  type SiloState,
} from '../../src/protocol/index.js';
import {
  decode,
  encode,
  HeaderBundle,
  RoundTranscript,
  SiloRecord,
  type BlobRef,
  type Directive,
  type Envelope,
} from '../../src/wire/index.js';
import { noteIn } from '../support/memory/silo.js';
import { Disk, Killed } from './disk.js';
import { Broken, type Outgoing } from './face.js';
import type { Stream } from './network.js';
import { work } from './silo-work.js';
import type { World } from './world.js';

const WHOLE = 1 << 26;
const RETRY_MS = 1_000;

export class SimSilo {
  state: SiloState;
  readonly disk = new Disk();
  /** Stored inputs by hash; they outlive a crash. */
  readonly inputs = new Map<string, Int32Array>();
  /** The operator's decisions, on disk. */
  readonly decided = new Set<string>();
  readonly rejections = new Map<string, number>();
  readonly notices = new Map<string, number>();
  /** What it refused and can prove. */
  readonly proofs: Rejection[] = [];
  up = true;
  life = 0;
  cursor = 0n;
  stream: Stream | undefined;
  /** Replaces what leaves; null: nothing does. For silos that are not honest. */
  tamper: (out: Outgoing) => Outgoing | null = (out) => out;
  tamperUpload: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;
  /** Changes what it hears: its own machine is told what keeps it going. For silos that are not honest. */
  overhear: (directive: Directive) => Directive = (directive) => directive;
  readonly #inbox: Directive[] = [];
  #busy = false;
  #reading = 0;
  readonly #working = new Set<string>();
  #afterVerify: (() => void)[] = [];
  readonly #outbox: Outgoing[] = [];
  readonly #queued = new Set<string>();
  #sending = false;
  #draws = 0;

  constructor(
    readonly world: World,
    readonly id: SiloId,
    readonly index: number,
  ) {
    this.state = this.#initial();
  }

  #initial(): SiloState {
    const { founded, policy } = this.world;
    const { roster, keyOf, cosigningKeyOf } = founded;
    const keys = { signingKey: keyOf(this.id), cosigningKey: cosigningKeyOf(this.id) };
    return initialSiloState({ siloId: this.id, ...keys, roster, policy });
  }

  get pending(): number {
    return this.#outbox.length + this.#inbox.length + this.#working.size + Number(this.#busy);
  }

  die(): void {
    this.life++;
    this.up = false;
    this.disk.fuse = undefined;
    this.#inbox.length = 0;
    this.#outbox.length = 0;
    this.#queued.clear();
    this.#working.clear();
    this.#afterVerify = [];
    this.#busy = false;
    this.#sending = false;
    this.cursor = 0n;
  }

  restart(): void {
    this.up = true;
    this.state = this.#initial();
    for (const bytes of this.disk.read()) this.#replay(bytes);
    this.world.oracle.histories.recovered(this.id, this.state.witness.size);
    this.begin();
  }

  /** The program says that it has started, and asks what there is to do. */
  begin(): void {
    if (this.world.founded.logKey !== undefined)
      this.feed({ $case: 'helloMade', value: { nonce: this.#drawn('nonce') } });
    this.connect();
  }

  /**
   * 32 bytes that this silo draws only once, whatever happens to its disk. The same in every run, so that the curves' work of one seed
   * serves the next.
   */
  #drawn(what: string): Uint8Array {
    return sha256(utf8(`${what} ${this.id} ${this.#draws++}`));
  }

  #replay(bytes: Uint8Array): void {
    const record = decode(SiloRecord, 'record', bytes, WHOLE);
    const done = advanceSilo(this.state, { at: unixMs(Number(record.atUnixMs)), event: record.event! });
    if ('rejected' in done) throw new Error(`the journal of ${this.id} is refused: ${done.rejected.code}`);
    this.state = done.accepted.state;
    const emitted = done.accepted.effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : []));
    const same =
      emitted.length === record.emitted.length && emitted.every((one, k) => equalEnvelopes(one, record.emitted[k]!));
    if (!same) throw new Error(`the journal of ${this.id} gives other bytes than were sent`);
  }

  /** Tries to have a stream, again and again. Reopened only when the directive under way is done, for it moves the cursor. */
  connect(): void {
    const { timeline, random } = this.world;
    const { life } = this;
    timeline.after(20 + random.below(500), () => {
      if (this.life !== life || !this.up || this.stream !== undefined) return;
      if (this.#busy || !this.world.openStream(this)) this.connect();
    });
  }

  lostStream(): void {
    this.stream = undefined;
    this.#inbox.length = 0;
    if (this.up) this.connect();
  }

  watchAnew(): void {
    this.#reading++;
    this.cursor = 0n;
    this.world.cut(this.id);
  }

  receive(directive: Directive): void {
    this.#inbox.push(this.overhear(directive));
    this.#next();
  }

  #next(): void {
    if (this.#busy || !this.up) return;
    const directive = this.#inbox.shift();
    if (directive === undefined) return;
    this.#busy = true;
    this.#deal(directive, this.#reading);
  }

  #deal(directive: Directive, reading: number): void {
    const { life } = this;
    const again = (): void => {
      if (this.life === life) this.#deal(directive, reading);
    };
    const read = this.#readLog(directive);
    if (this.life !== life) return;
    const event = read === true ? this.#eventOf(directive) : read;
    if (event === 'away') {
      this.world.timeline.after(RETRY_MS, again);
      return;
    }
    const refused = event === undefined ? undefined : this.feed(event);
    if (this.life !== life) return;
    const verifying = [...this.#working].some((name) => name.startsWith('verify '));
    if (refused?.category === 'state' && verifying) {
      this.#afterVerify.push(again);
      return;
    }
    if (reading === this.#reading) this.cursor = directive.sequence;
    this.#busy = false;
    this.#next();
  }

  /** Reads up to the checkpoint that a directive rests on; undefined: what was served is refused, and so is the directive. */
  #readLog(directive: Directive): true | 'away' | undefined {
    const note = noteIn(directive);
    if (note === undefined || note.length === 0) return true;
    try {
      const reading = new LogReading(this.state, note);
      if (!reading.isKnown) {
        const entries = this.world.readLog(this, reading.from, reading.checkpoint.size);
        if (entries === undefined) return this.world.isThere(this.index) ? undefined : 'away';
        for (const entry of entries) reading.add(entry);
      }
      if (reading.wantsProof) {
        const proof = this.world.proveLog(this, reading.checkpoint.size, reading.from);
        if (proof === undefined) return this.world.isThere(this.index) ? undefined : 'away';
        reading.prove(proof);
      }
      this.feed({ $case: 'checkpointRead', value: reading.finish() });
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refused(error.code);
      return undefined;
    }
  }

  #refused(code: string): void {
    this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1);
    this.world.oracle.refused(this, code);
  }

  #eventOf({ body }: Directive): SiloEvent | 'away' | undefined {
    switch (body?.$case) {
      case 'checkpoint':
        return undefined;
      case 'jobOffer':
        return { $case: 'jobOffered', value: { manifest: body.value.manifest } };
      case 'start': {
        const value = { ...body.value, rho: this.#drawn('rho'), roundSecret: this.#drawn('round secret') };
        return { $case: 'attemptStarted', value };
      }
      case 'keys':
        return { $case: 'keysReceived', value: body.value };
      case 'shares': {
        const bytes = this.fetch(body.value.headers);
        if (bytes === undefined) return this.world.isThere(this.index) ? undefined : 'away';
        const { headers } = decode(HeaderBundle, 'headers', bytes, WHOLE);
        return { $case: 'sharesReceived', value: { ...body.value, headers } };
      }
      case 'complaint':
        return { $case: 'complaintReceived', value: body.value };
      case 'sharesClosed':
        return { $case: 'sharesClosed', value: body.value };
      case 'confirm':
        return { $case: 'confirmRequested', value: body.value };
      case 'unmask':
        return { $case: 'unmaskRequested', value: body.value };
      case 'result': {
        const bytes = this.fetch(body.value.transcript);
        if (bytes === undefined) return this.world.isThere(this.index) ? undefined : 'away';
        const transcript = decode(RoundTranscript, 'transcript', bytes, WHOLE);
        return { $case: 'resultReceived', value: { directive: body.value, transcript } };
      }
      case 'releaseQuery':
        return { $case: 'releaseQueried', value: body.value };
      case 'abandon':
        return { $case: 'abandoned', value: body.value };
      case 'rollback':
        return { $case: 'rolledBack', value: body.value };
      case 'jobClosed':
        return { $case: 'jobClosed', value: body.value };
      case 'roster':
        return { $case: 'rosterTaken', value: body.value };
      case 'rosterProposed':
        return { $case: 'rosterProposed', value: body.value };
      case 'heartbeat':
      case undefined:
        return undefined;
    }
  }

  fetch(ref: BlobRef | undefined): Uint8Array | undefined {
    return ref === undefined ? undefined : this.world.fetch(this, ref.sha256);
  }

  feed(event: SiloEvent): Rejection | undefined {
    if (!this.up) return undefined;
    const at = this.world.timeline.now;
    const done = advanceSilo(this.state, { at: unixMs(at), event });
    if ('rejected' in done) {
      this.#refused(done.rejected.code);
      if (done.rejected.evidence.length > 0) this.proofs.push(done.rejected);
      return done.rejected;
    }
    if (done.accepted.state !== this.state && !done.accepted.effects.some(({ kind }) => kind === 'persist'))
      throw new Broken(`${this.id} changes its state by ${event.$case} and its journal does not know (G1)`);
    const next = this.world.wrap(this, event, done.accepted);
    try {
      for (const effect of next.effects) {
        this.#burn();
        if (effect.kind === 'persist') {
          const { emitted, event: persisted } = effect;
          const record = { version: 1, atUnixMs: BigInt(at), emitted: [...emitted], event: persisted };
          this.disk.append(encode(SiloRecord, record));
          this.state = next.state;
        } else this.#run(effect);
      }
      this.#burn();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.world.killed(this, error.message);
      return undefined;
    }
    this.state = next.state;
    return undefined;
  }

  #burn(): void {
    if (this.disk.fuse === undefined) return;
    if (this.disk.fuse-- <= 0) throw new Killed('after');
  }

  #run(effect: Exclude<SiloEffect, { kind: 'persist' }>): void {
    if (effect.kind === 'submit') this.#send(effect);
    else if (effect.kind === 'notice') this.notices.set(effect.code, (this.notices.get(effect.code) ?? 0) + 1);
    else work(this, effect);
  }

  /** Once at a time by name; `task` says whether it is done, or must be tried again. */
  background(name: string, task: () => boolean, forMs: number): void {
    if (this.#working.has(name)) return;
    this.#working.add(name);
    const { life } = this;
    const attempt = (): void => {
      if (this.life !== life) return;
      if (!task()) {
        this.world.timeline.after(RETRY_MS, attempt);
        return;
      }
      // The task may have killed this silo.
      if (this.life !== life) return;
      this.#working.delete(name);
      if (!name.startsWith('verify ')) return;
      const waiting = this.#afterVerify;
      this.#afterVerify = [];
      for (const again of waiting) again();
    };
    this.world.timeline.after(1 + this.world.random.below(forMs), attempt);
  }

  #send({ envelope, ciphertexts }: Outgoing): void {
    const out = this.tamper({ envelope, ciphertexts });
    if (out === null) return;
    const name = hex(out.envelope.signature);
    if (this.#queued.has(name)) return;
    this.world.oracle.sent(this, out.envelope);
    this.#queued.add(name);
    this.#outbox.push(out);
    this.#flush();
  }

  #flush(): void {
    const out = this.#outbox[0];
    if (out === undefined || this.#sending || !this.up) return;
    this.#sending = true;
    const { life } = this;
    this.world.submit(this, out, (answer) => {
      if (this.life !== life) return;
      this.#sending = false;
      if (answer === undefined) {
        this.world.timeline.after(RETRY_MS, () => {
          if (this.life === life) this.#flush();
        });
        return;
      }
      this.#outbox.shift();
      this.#queued.delete(hex(out.envelope.signature));
      if (answer.kind === 'refused') {
        if (answer.rejection.code === 'mask/root-differs') this.watchAnew();
      } else if (answer.receipt !== undefined) this.#onReceipt(out.envelope, answer.receipt);
      if (this.life === life) this.#flush();
    });
  }

  #onReceipt(envelope: Envelope, receipt: Envelope): void {
    for (const { open } of this.state.jobs.values()) {
      const masked = open?.attempt.masked;
      if (open === undefined || masked === undefined || !equalEnvelopes(masked.envelope, envelope)) continue;
      const value = { rid: open.plan.rid, attempt: open.attempt.context.attempt.attempt, receipt };
      this.feed({ $case: 'receiptReceived', value });
      return;
    }
  }
}
