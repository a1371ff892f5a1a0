// Reading the log: every entry is hashed onto what was read before, so that a log which was rewritten, shortened or forked cannot give
// the root of its checkpoint; what concerns this silo is picked out on the way. Changes nothing: `finish` gives the event.

import { asJobId, asSiloId, equalBytes, LIMITS, type SiloId } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import { CompactRange, decodeEntry, leafHash, type LogEntry } from '../../transcript/index.js';
import {
  ClosingStatement,
  ConsistencyRequest,
  decode,
  Envelope,
  RoundPlan,
  type SiloCheckpointRead,
  type TerminalEntry,
  type UnknownAct,
} from '../../wire/index.js';
import { fromBitmap } from '../bitmap.js';
import { openNote, orRefused, type OpenedCheckpoint } from '../check/checkpoint.js';
import { demand } from '../rejection.js';
import { siloSigner } from '../roster.js';
import type { JobState, OpenRound, SiloState } from './state.js';
import { envelopeDigest, roundKey } from './witness.js';

/** After these, the input of a silo has left and may have been opened. */
const OF_A_SUM: ReadonlySet<string> = new Set(['t3', 'consistency', 'release']);

export class LogReading {
  readonly checkpoint: OpenedCheckpoint;
  /** Entries still to be read: from this index on, up to the checkpoint's size. */
  readonly from: number;
  readonly #state: SiloState;
  #range: CompactRange;
  #helloAt = 0n;
  #proof: readonly Uint8Array[] = [];
  readonly #terminals: TerminalEntry[] = [];
  readonly #unknown = new Map<string, UnknownAct>();
  /** This silo's index in rounds whose plan was read just now, by name of the round. */
  readonly #indices = new Map<string, number>();

  /** Throws Refusal `log/note`, `log/too-long`. */
  constructor(state: SiloState, note: Uint8Array) {
    this.#state = state;
    this.checkpoint = openNote(state.self.roster, note);
    this.#range = CompactRange.decode(state.witness.range);
    this.from = this.#range.size;
    demand(
      this.checkpoint.size - this.from <= LIMITS.logEntriesPerRead,
      'log/entry',
      `the log has grown by ${String(this.checkpoint.size - this.from)} entries since it was last read; at most ${String(LIMITS.logEntriesPerRead)} are read at once.`,
      'limit',
    );
  }

  /** True when the checkpoint holds nothing that was not read before. */
  get isKnown(): boolean {
    return this.checkpoint.size <= this.from;
  }

  /**
   * True for a checkpoint that was passed unseen: a round may rest on one that a newer one had replaced before this silo was shown it. Then
   * a consistency proof says whether what was read begins with it.
   */
  get wantsProof(): boolean {
    const { size } = this.checkpoint;
    return size < this.from && !this.#state.witness.roots.has(size);
  }

  /** From the checkpoint to what was read; judged with the event. */
  prove(hashes: readonly Uint8Array[]): void {
    this.#proof = hashes;
  }

  /** The next entry, as its bytes are hashed. Throws Refusal `log/entry`. */
  add(bytes: Uint8Array): void {
    const entry = orRefused('log/entry', () => decodeEntry(bytes));
    const index = this.#range.size;
    this.#range = this.#range.append(leafHash(bytes)).range;
    if (entry.kind === 'result' || entry.kind === 'abandon') this.#terminal(entry, index);
    this.#own(entry, index);
  }

  /** Throws Refusal `log/root`. */
  finish(): SiloCheckpointRead {
    if (!this.isKnown)
      demand(
        this.#range.size === this.checkpoint.size && equalBytes(this.#range.root(), this.checkpoint.root),
        'log/root',
        `the ${String(this.#range.size - this.from)} entries that were served do not give the root of the checkpoint of ${String(this.checkpoint.size)}.`,
      );
    return {
      note: this.checkpoint.note,
      from: BigInt(this.from),
      range: this.#range.encode(),
      terminals: this.#terminals,
      helloAt: this.#helloAt,
      unknown: [...this.#unknown.values()],
      proof: [...this.#proof],
    };
  }

  #terminal(entry: LogEntry, index: number): void {
    const job = this.#jobOf(entry);
    // A job that is offered later is caught up with from its first round: its entries are few and known by then, or read again.
    if (job !== undefined && entry.round <= job.closedRound) return;
    this.#terminals.push({
      jobId: entry.job,
      round: entry.round,
      digest: digestOf(entry),
      index: BigInt(index),
    });
  }

  #own(entry: LogEntry, at: number): void {
    const { self, witness } = this.#state;
    if (entry.kind === 'hello' && entry.subject === siloSigner(self.siloId)) {
      const { hello } = witness;
      const isFirst = this.#helloAt === 0n;
      if (isFirst && hello !== undefined && equalBytes(digestOf(entry), envelopeDigest(hello.envelope)))
        this.#helloAt = BigInt(at) + 1n;
      return;
    }
    // A journal that was set back to before the offer does not even know the job.
    const job = this.#jobOf(entry);
    if (asJobId(entry.job) === undefined || entry.round <= (job?.closedRound ?? 0)) return;
    if (entry.kind === 'plan') this.#planned(entry);
    const index =
      job?.open?.plan.round === entry.round ? job.open.index : this.#indices.get(roundKey(entry.job, entry.round));
    if (isUnknownAct(this.#state, job?.open, entry, index)) this.#forgot(entry);
  }

  #forgot(entry: LogEntry): void {
    const name = roundKey(entry.job, entry.round);
    const before = this.#unknown.get(name);
    const shown = entry.kind === 't3' ? survivorsIn(entry) : [];
    this.#unknown.set(name, {
      jobId: entry.job,
      round: entry.round,
      act: entry.kind,
      released: before?.released === true || entry.kind === 'release',
      summed: before?.summed === true || OF_A_SUM.has(entry.kind),
      survivors: shown.length > 0 ? shown : (before?.survivors ?? []),
      attempt: shown.length > 0 ? entry.attempt : (before?.attempt ?? 0),
    });
  }

  #planned(entry: LogEntry): void {
    if (entry.body.form !== 'envelope') return;
    const { payload } = decode(Envelope, 'signed envelope', entry.body.bytes);
    const index = decode(RoundPlan, 'plan', payload).cohort.indexOf(this.#state.self.siloId);
    if (index >= 0) this.#indices.set(roundKey(entry.job, entry.round), index);
  }

  #jobOf(entry: LogEntry): JobState | undefined {
    const jobId = asJobId(entry.job);
    return jobId === undefined ? undefined : this.#state.jobs.get(jobId);
  }
}

/** SHA-256 of the encoded envelope, whether the entry holds it or names it. */
function digestOf({ body }: LogEntry): Uint8Array {
  return body.form === 'envelope' ? sha256(body.bytes) : body.bytes;
}

/**
 * Whether an entry shows that this silo has done something in a round that its journal does not know. The journal is written before
 * anything leaves, so without a disk that was set back there is no such entry. `index`: this silo's, undefined where it has none.
 */
function isUnknownAct(
  state: SiloState,
  open: OpenRound | undefined,
  entry: LogEntry,
  index: number | undefined,
): boolean {
  const own = entry.subject === siloSigner(state.self.siloId);
  const round = open?.plan.round === entry.round ? open : undefined;
  const number = round?.attempt.context.attempt.attempt ?? 0;
  // An attempt that was left for a later one is known as that.
  if (number > entry.attempt) return false;
  const attempt = number === entry.attempt ? round?.attempt : undefined;
  if (entry.kind === 't1') return attempt === undefined && isMember(entry, index);
  if (entry.kind === 't2') return attempt?.dealt === undefined && isMember(entry, index);
  if (entry.kind === 't3') return attempt?.masked === undefined && isSurvivor(entry, state.self.siloId);
  if (!own) return false;
  if (entry.kind === 'consistency') return attempt?.signed === undefined;
  if (entry.kind === 'release') return round?.releasedIn?.attempt !== entry.attempt;
  return entry.kind === 'abort' && (round?.abortedThrough ?? 0) < entry.attempt;
}

/** Whether this silo is in U1 or U2. */
function isMember({ body }: LogEntry, index: number | undefined): boolean {
  if (body.form !== 'statement' || index === undefined) return false;
  const { members } = decode(ClosingStatement, 'closing statement', body.bytes);
  return fromBitmap(members, members.length * 8)?.includes(index) === true;
}

/** Whether a masked header of this silo is among those of U3; where the message is too large for an entry, later ones tell. */
function isSurvivor(entry: LogEntry, siloId: SiloId): boolean {
  return survivorsIn(entry).includes(siloId);
}

/** Who signed the masked headers of U3. */
function survivorsIn({ body }: LogEntry): SiloId[] {
  if (body.form !== 'envelope') return [];
  const { payload } = decode(Envelope, 'signed envelope', body.bytes);
  const { headers } = decode(ConsistencyRequest, 'survivors', payload);
  return headers.flatMap(({ signer }) => asSiloId(signer.slice(signer.indexOf('/') + 1)) ?? []);
}
