// A silo in memory: the real state machine, its effects run in order against a journal that is an array. `crash()` forgets everything
// but the journal and the stored inputs; `restart()` folds the journal again and demands the same signed bytes.

import { hex, unixMs, type SiloId } from '../../../src/base/index.js';
import {
  advanceSilo,
  equalEnvelopes,
  initialSiloState,
  layoutOfRound,
  LogReading,
  type MaskKeys,
  Refusal,
  seal,
  siloSigner,
  type Rejection,
  type SiloEffect,
  type SiloEvent,
  type SiloJournalledEvent,
  type SiloPolicy,
  type SiloState,
} from '../../../src/protocol/index.js';
import {
  Approval,
  Coverage,
  decode,
  encode,
  HeaderBundle,
  Outcome,
  RoundTranscript,
  SiloRecord,
  type Directive,
  type Envelope,
  type ResultDirective,
} from '../../../src/wire/index.js';
import { CodedError } from '../../../src/base/index.js';
import { BASE, seedFrom, type Founded } from './founding.js';
import { fingerprintsOf, masked, verifyVectors, type Judge } from './vectors.js';

/** What a silo needs of the world. */
export interface SiloWorld {
  now(): number;
  submit(silo: SiloId, envelope: Envelope, ciphertexts: readonly Uint8Array[]): void;
  upload(silo: SiloId, rid: Uint8Array, attempt: number, bytes: Uint8Array): void;
  fetch(name: string): Uint8Array;
  readonly judge: Judge;
  /** Entries of the transparency log. */
  readLog(from: number, to: number): readonly Uint8Array[];
  proveLog(from: number, to: number): readonly Uint8Array[];
}

/** Bytes of a record, of all headers or of a transcript at the largest cohort. */
const WHOLE = 1 << 26;

export class MemorySilo {
  state: SiloState;
  readonly journal: Uint8Array[] = [];
  readonly inputs = new Map<string, Int32Array>();
  readonly rejections: Rejection[] = [];
  readonly notices: Extract<SiloEffect, { kind: 'notice' }>[] = [];
  readonly sent: Envelope[] = [];
  cursor = 0n;
  /** What the coordinator has told this silo since it last came up. */
  readonly told = new Set<string>();
  up = true;
  approves = true;
  /** What its rounds are charged to. */
  dataSet = 'records';
  /** What the silo puts into a round; undefined: it cannot. */
  input: (round: number, length: number) => Int32Array | undefined;
  /** Input keys of a round; by default each model is another input. */
  inputKeys: (state: SiloState, modelHash: Uint8Array) => Uint8Array[] = (_, modelHash) => [modelHash];
  /** Replaces what the silo would send; null drops it. */
  tamper: (
    envelope: Envelope,
    ciphertexts: readonly Uint8Array[],
  ) => { envelope: Envelope; ciphertexts: readonly Uint8Array[] } | null = (envelope, ciphertexts) => ({
    envelope,
    ciphertexts,
  });
  /** Replaces the masks that the silo uses. */
  masks: (keys: MaskKeys) => MaskKeys = (keys) => keys;
  /** Called after every journal record with their number; may crash or restart this silo, and what would have followed is lost. */
  afterRecord: (records: number) => void = () => undefined;
  #fresh = 0;
  /** How often everything was asked for again. */
  #readings = 0;
  #lives = 0;
  #starts = 0;

  constructor(
    readonly founded: Founded,
    readonly id: SiloId,
    readonly index: number,
    public policy: SiloPolicy,
    readonly world: SiloWorld,
  ) {
    this.state = this.#initial();
    this.input = (_, length) => {
      const vector = new Int32Array(length);
      vector[Math.floor(index / 10)] = BASE ** (index % 10);
      return vector;
    };
  }

  #initial(): SiloState {
    const { roster, keyOf, cosigningKeyOf } = this.founded;
    const keys = { signingKey: keyOf(this.id), cosigningKey: cosigningKeyOf(this.id) };
    // A roster of its own, as each silo has read one: what is remembered by roster is not shared.
    return initialSiloState({ siloId: this.id, ...keys, roster: { ...roster }, policy: this.policy });
  }

  /** The program says that it has started. */
  hello(): void {
    this.feed({ $case: 'helloMade', value: { nonce: seedFrom(`hello ${this.id} ${String(this.#starts++)}`) } });
  }

  /** Reads the log up to the checkpoint that a directive rests on. */
  #read(note: Uint8Array | undefined): void {
    if (note === undefined || note.length === 0) return;
    try {
      const reading = new LogReading(this.state, note);
      if (!reading.isKnown)
        for (const entry of this.world.readLog(reading.from, reading.checkpoint.size)) reading.add(entry);
      if (reading.wantsProof) reading.prove(this.world.proveLog(reading.checkpoint.size, reading.from));
      this.feed({ $case: 'checkpointRead', value: reading.finish() });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.rejections.push({ code: error.code, detail: error.message, category: error.category, evidence: [] });
    }
  }

  crash(): void {
    this.#lives++;
    this.told.clear();
    this.up = false;
    this.cursor = 0n;
    this.state = this.#initial();
  }

  /** Folds the journal; throws when the same events no longer give the same signed messages. */
  restart(): void {
    this.#lives++;
    this.told.clear();
    this.state = this.#initial();
    for (const bytes of this.journal) {
      const record = decode(SiloRecord, 'record', bytes, WHOLE);
      const done = advanceSilo(this.state, { at: unixMs(Number(record.atUnixMs)), event: record.event! });
      if (!('accepted' in done)) throw new Error(`replay rejected: ${done.rejected.code} ${done.rejected.detail}`);
      this.state = done.accepted.state;
      const emitted = done.accepted.effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : []));
      if (
        emitted.length !== record.emitted.length ||
        !emitted.every((one, k) => equalEnvelopes(one, record.emitted[k]!))
      )
        throw new Error('replay gave other bytes');
    }
    this.cursor = 0n;
    this.up = true;
    this.hello();
  }

  handle(directive: Directive): void {
    if (!this.up) return;
    const life = this.#lives;
    const reading = this.#readings;
    this.#read(noteIn(directive));
    if (this.#lives !== life) return;
    for (const event of this.#eventsOf(directive)) this.feed(event);
    if (this.#lives === life && this.#readings === reading) this.cursor = directive.sequence;
  }

  #eventsOf({ body }: Directive): SiloEvent[] {
    switch (body?.$case) {
      case 'jobOffer':
        return [{ $case: 'jobOffered', value: { manifest: body.value.manifest } }];
      case 'start': {
        const name = `${this.id} ${String(this.#fresh++)}`;
        const value = { ...body.value, rho: seedFrom(`rho ${name}`), roundSecret: seedFrom(`round ${name}`) };
        return [{ $case: 'attemptStarted', value }];
      }
      case 'keys':
        return [{ $case: 'keysReceived', value: body.value }];
      case 'shares': {
        const { headers } = decode(HeaderBundle, 'headers', this.world.fetch(hex(body.value.headers!.sha256)), WHOLE);
        return [{ $case: 'sharesReceived', value: { ...body.value, headers } }];
      }
      case 'complaint':
        return [{ $case: 'complaintReceived', value: body.value }];
      case 'sharesClosed':
        return [{ $case: 'sharesClosed', value: body.value }];
      case 'confirm':
        return [{ $case: 'confirmRequested', value: body.value }];
      case 'unmask':
        return [{ $case: 'unmaskRequested', value: body.value }];
      case 'result': {
        const transcript = decode(
          RoundTranscript,
          'transcript',
          this.world.fetch(hex(body.value.transcript!.sha256)),
          WHOLE,
        );
        return [{ $case: 'resultReceived', value: { directive: body.value, transcript } }];
      }
      case 'releaseQuery':
        return [{ $case: 'releaseQueried', value: body.value }];
      case 'abandon':
        return [{ $case: 'abandoned', value: body.value }];
      case 'jobClosed':
        return [{ $case: 'jobClosed', value: body.value }];
      case 'rollback':
        return [{ $case: 'rolledBack', value: body.value }];
      case 'roster':
        return [{ $case: 'rosterTaken', value: body.value }];
      case 'rosterProposed':
        return [{ $case: 'rosterProposed', value: body.value }];
      case 'checkpoint':
      case 'heartbeat':
      case undefined:
        return [];
    }
  }

  feed(event: SiloEvent): void {
    const at = unixMs(this.world.now());
    const done = advanceSilo(this.state, { at, event });
    if ('rejected' in done) {
      this.rejections.push(done.rejected);
      return;
    }
    if (done.accepted.state !== this.state && !done.accepted.effects.some(({ kind }) => kind === 'persist'))
      throw new Error(`${this.id} changes its state by ${event.$case} and its journal does not know`);
    this.state = done.accepted.state;
    const life = this.#lives;
    for (const effect of done.accepted.effects) {
      this.#run(effect, at);
      if (this.#lives !== life) return;
    }
  }

  #run(effect: SiloEffect, at: number): void {
    switch (effect.kind) {
      case 'persist':
        this.journal.push(
          encode(SiloRecord, { version: 1, atUnixMs: BigInt(at), emitted: [...effect.emitted], event: effect.event }),
        );
        this.afterRecord(this.journal.length);
        return;
      case 'submit': {
        const out = this.tamper(effect.envelope, effect.ciphertexts);
        if (out === null) return;
        this.sent.push(out.envelope);
        this.world.submit(this.id, out.envelope, out.ciphertexts);
        return;
      }
      case 'ask-operator': {
        const message = {
          siloId: this.id,
          manifestHash: effect.manifest.hash,
          approved: this.approves,
          note: '',
          atUnixMs: 0n,
        };
        const approval = seal(this.founded.keyOf(this.id), siloSigner(this.id), 'approval', Approval, message);
        this.feed({ $case: 'jobDecided', value: { approval } });
        return;
      }
      case 'prepare-job': {
        const { jobId, initialModelHash } = effect.manifest;
        this.feed({
          $case: 'jobPrepared',
          value: { jobId, modelHash: initialModelHash, refusedCode: '', refusedDetail: '', dataSet: this.dataSet },
        });
        return;
      }
      case 'contribute':
        this.feed(this.#contribute(effect));
        return;
      case 'mask-and-upload': {
        const contribution = this.state.jobs.get(effect.plan.jobId)?.open?.contribution;
        if (contribution?.kind === 'ready' && contribution.charged === undefined)
          throw new Error(`${this.id} sends a masked input that it has not charged`);
        const { bytes, root } = masked(
          this.inputs.get(hex(effect.inputHash))!,
          this.masks(effect.masks),
          effect.modulusBits,
        );
        this.world.upload(this.id, effect.plan.rid, effect.attempt, bytes);
        this.feed({ $case: 'inputMasked', value: { rid: effect.plan.rid, attempt: effect.attempt, root } });
        return;
      }
      case 'fingerprint': {
        const { words } = masked(this.inputs.get(hex(effect.inputHash))!, this.masks(effect.masks), effect.modulusBits);
        const unsigned = Uint32Array.from(words, (word) => (effect.modulusBits === 32 ? word >>> 0 : word));
        const [tau0, tau1] = fingerprintsOf(unsigned, effect.survivors);
        this.feed({ $case: 'fingerprinted', value: { t3: effect.survivors.t3, tau0, tau1 } });
        return;
      }
      case 'verify-result':
        this.feed(this.#verify(effect));
        return;
      case 'watch-anew':
        this.#readings++;
        this.cursor = 0n;
        return;
      case 'forget-input':
      case 'ask-about-roster':
      case 'keep-roster':
        return;
      case 'notice':
        this.notices.push(effect);
    }
  }

  #contribute({ manifest, plan }: Extract<SiloEffect, { kind: 'contribute' }>): SiloJournalledEvent {
    const input = this.input(plan.round, layoutOfRound(manifest, plan.round).length);
    const about = { jobId: plan.jobId, round: plan.round };
    if (input === undefined) return { $case: 'contributionFailed', value: { ...about, code: 'data/missing' } };
    const inputHash = seedFrom(`input ${this.id} ${hex(plan.rid)}`);
    if (!this.inputs.has(hex(inputHash))) this.inputs.set(hex(inputHash), input);
    return {
      $case: 'contributionReady',
      value: {
        ...about,
        inputHash,
        inputKeys: this.inputKeys(this.state, plan.modelHash),
        dataSet: this.dataSet,
        dataSetVersion: seedFrom(`version ${this.id}`),
      },
    };
  }

  #verify({
    result,
    directive,
    restores,
  }: {
    result: Parameters<typeof verifyVectors>[0];
    directive: ResultDirective;
    restores: boolean;
  }): SiloJournalledEvent {
    const { plan } = result.context;
    const value = {
      jobId: plan.jobId,
      round: plan.round,
      plan: plan.envelope,
      result: directive.result,
      failedCode: '',
      outcome: Outcome.OUTCOME_APPLIED,
      newModelHash: new Uint8Array(32) as Uint8Array,
      coverage: Coverage.COVERAGE_FULL,
      endsJob: false,
      restored: restores,
      ownInputKeys: restores ? this.inputKeys(this.state, plan.modelHash) : [],
    };
    try {
      const missing = directive.missingInputs.map((ref) => ref.sha256);
      const opened = verifyVectors(result, (name) => this.world.fetch(name), missing);
      const words = new Int32Array(opened.slice().buffer);
      Object.assign(value, this.world.judge(result.context, words, result.survivors.members.size));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      value.failedCode = String(error.code);
    }
    return { $case: 'resultVerified', value };
  }

  /** The last notice or rejection code, for assertions. */
  get lastRejection(): string | undefined {
    return this.rejections.at(-1)?.code;
  }
}

/** The checkpoint that a directive rests on or is about. */
export function noteIn({ body }: Directive): Uint8Array | undefined {
  if (body?.$case === 'checkpoint') return body.value.note;
  if (body?.$case === 'start' || body?.$case === 'result' || body?.$case === 'abandon') return body.value.checkpoint;
  return undefined;
}
