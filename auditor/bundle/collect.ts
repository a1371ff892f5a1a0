// What an audit needs of a job, asked of the coordinator and written into a bundle piece by piece. Nothing is checked here: the verifier
// does, whoever made the bundle.

import { setTimeout } from 'node:timers/promises';
import { hex, LIMITS, u16be, utf8 } from '../../src/base/index.js';
import { AUDIT_LIMITS, frameOf, PART, type BundleWriter } from '../../src/audit/index.js';
import { sha256 } from '../../src/crypto/index.js';
import { ENTRY_KINDS, decodeEntry, type LogEntry } from '../../src/transcript/index.js';
import type { AdminClient } from '../../src/transport/index.js';
import {
  Artefact,
  decode,
  encode,
  Envelope,
  JobManifest,
  RosterChain,
  RoundResult,
  RoundTranscript,
  type GetRoundResponse,
  type StoredArtefact,
} from '../../src/wire/index.js';
import { badAnswer } from '../checked-round.js';
import { gather } from '../gather.js';
import { allSuccessors } from '../lists.js';

/** A checkpoint is made when a round ends; cosigning it takes silos a fraction of a second. */
const WAIT_MS = 500;
const WAITS = 20;

export interface Collected {
  readonly entries: number;
  readonly rounds: number;
}

export class BundleCollector {
  readonly #client: AdminClient;
  readonly #writer: BundleWriter;
  readonly #signal: AbortSignal;
  /** Digests that the log holds in place of envelopes of these jobs. */
  readonly #wanted = new Set<string>();
  readonly #written = new Set<string>();

  constructor(client: AdminClient, writer: BundleWriter, signal: AbortSignal) {
    this.#client = client;
    this.#writer = writer;
    this.#signal = signal;
  }

  /** Throws AuditError `audit/bad-answer`, and what the coordinator refuses. */
  async collect(jobId: string, roster: Uint8Array): Promise<Collected> {
    const { manifest } = await this.#client.getJob({ jobId }, this.#signal);
    const standardiseBy = manifestIn(manifest).standardiseBy?.jobId;
    const jobs = standardiseBy === undefined ? [jobId] : [standardiseBy, jobId];
    const { note, entries, ends } = await this.#covered(jobId, jobs);
    const writer = this.#writer;
    writer.add(PART.job, utf8(jobId));
    writer.add(PART.roster, roster);
    const rosters = await allSuccessors(this.#client, 0n, this.#signal);
    if (rosters.length > 0) writer.add(PART.successors, encode(RosterChain, { rosters }));
    writer.add(PART.checkpoint, note);
    writer.add(PART.entries, joined(entries));
    let rounds = 0;
    for (const job of jobs) {
      await this.#job(job);
      for (const round of ends.get(job) ?? []) {
        await this.#round(job, round);
        rounds++;
      }
    }
    return { entries: entries.length, rounds };
  }

  /** The log up to a checkpoint that holds the last round, for which silos that are there need a moment. */
  async #covered(jobId: string, jobs: readonly string[]) {
    for (let tries = 0; ; tries++) {
      const { job } = await this.#client.getJob({ jobId }, this.#signal);
      const { note, size } = await this.#client.getCheckpoint({ jobId }, this.#signal);
      const entries = await this.#entries(Number(size));
      const ends = this.#endsOf(entries, jobs);
      if ((ends.get(jobId)?.size ?? 0) >= (job?.roundsDone ?? 0) || tries === WAITS) return { note, entries, ends };
      await setTimeout(WAIT_MS, undefined, { signal: this.#signal });
    }
  }

  async #entries(size: number): Promise<Uint8Array[]> {
    const entries: Uint8Array[] = [];
    let pageToken = '';
    while (entries.length < size) {
      const page = await this.#client.listEntries({ pageSize: 1000, pageToken }, this.#signal);
      for (const { index, entry } of page.entries) {
        if (entries.length === size) break;
        if (Number(index) !== entries.length) throw badAnswer('entries of the log did not come one after the other.');
        entries.push(entry);
      }
      pageToken = page.nextPageToken;
      if (pageToken === '' && entries.length < size)
        throw badAnswer(`the log has ${String(entries.length)} entries, its checkpoint ${String(size)}.`);
    }
    return entries;
  }

  /** Rounds of these jobs that have an end in the log. What the log holds by its digest is written down on the way. */
  #endsOf(entries: readonly Uint8Array[], jobs: readonly string[]): Map<string, Set<number>> {
    const ends = new Map<string, Set<number>>(jobs.map((job) => [job, new Set<number>()]));
    for (const bytes of entries) {
      const entry: LogEntry = decodeEntry(bytes);
      const rounds = ends.get(entry.job);
      if (rounds === undefined) continue;
      if (entry.kind === 'result' || entry.kind === 'abandon') rounds.add(entry.round);
      const signed = 'type' in ENTRY_KINDS[entry.kind] && entry.kind !== 'release';
      if (signed && entry.body.form === 'digest') this.#wanted.add(hex(entry.body.bytes));
    }
    return ends;
  }

  async #job(job: string): Promise<void> {
    const { manifest } = await this.#client.getJob({ jobId: job }, this.#signal);
    this.#beside([manifest]);
    const { forwardModel } = manifestIn(manifest);
    if (forwardModel === undefined) return;
    const asked = { jobId: job, round: 0, artefact: Artefact.ARTEFACT_FORWARD_MODEL };
    const size = Number(forwardModel.size);
    await this.#stream(PART.forwardModel(job), size, this.#client.exportArtefact(asked, this.#signal));
    const model = await gather(this.#client.exportModel({ jobId: job, state: false }, this.#signal), LIMITS.modelBytes);
    if (model !== undefined) this.#writer.add(PART.finalModel(job), model);
  }

  async #round(job: string, round: number): Promise<void> {
    const answer = await this.#client.getRound({ jobId: job, round }, this.#signal);
    const { plan, result, abandon, acknowledgements, disputes } = answer;
    this.#beside([plan, result, abandon, ...acknowledgements, ...disputes, ...confirmationsIn(result)]);
    const reactions = [...acknowledgements, ...disputes].map((one) => frameOf(encode(Envelope, one)));
    this.#writer.add(PART.reactions(job, round), concatenated(reactions));
    for (const stored of answer.artefacts) await this.#artefact(answer, job, round, stored);
  }

  async #artefact(answer: GetRoundResponse, job: string, round: number, stored: StoredArtefact): Promise<void> {
    const { artefact, blob, index } = stored;
    const name = nameOf(stored, job, round);
    if (name === undefined || answer.result === undefined) return;
    const pieces = this.#client.exportArtefact({ jobId: job, round, artefact, index }, this.#signal);
    if (artefact !== Artefact.ARTEFACT_TRANSCRIPT) {
      await this.#stream(name, Number(blob?.size ?? 0n), pieces);
      return;
    }
    const bytes = await gather(pieces, AUDIT_LIMITS.transcriptBytes);
    if (bytes === undefined) throw badAnswer(`the transcript of round ${String(round)} is too large.`);
    this.#writer.add(name, bytes);
    const { plan, attempt, request } = decode(RoundTranscript, 'transcript', bytes, AUDIT_LIMITS.transcriptBytes);
    this.#beside([plan, attempt, request]);
  }

  async #stream(name: string, size: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const part = this.#writer.begin(name, size);
    let came = 0;
    for await (const piece of pieces) {
      came += piece.length;
      if (came > size) break;
      part.update(piece);
    }
    if (came !== size) throw badAnswer(`${name} should have ${String(size)} bytes, others came.`);
    part.end();
  }

  /** Envelopes that the log holds by their digest only. */
  #beside(envelopes: readonly (Envelope | undefined)[]): void {
    for (const envelope of envelopes) {
      if (envelope === undefined) continue;
      const bytes = encode(Envelope, envelope);
      const digest = hex(sha256(bytes));
      if (!this.#wanted.has(digest) || this.#written.has(digest)) continue;
      this.#written.add(digest);
      this.#writer.add(PART.beside(digest), bytes);
    }
  }
}

/** States follow from the sums and the result is in the log: neither has a part of its own. */
function nameOf({ artefact, index }: StoredArtefact, job: string, round: number): string | undefined {
  const names: Partial<Record<Artefact, string>> = {
    [Artefact.ARTEFACT_TRANSCRIPT]: PART.transcript(job, round),
    [Artefact.ARTEFACT_MASKED_SUM]: PART.sum(job, round),
    [Artefact.ARTEFACT_OPENED_SUM]: PART.opened(job, round),
    [Artefact.ARTEFACT_MISSING_INPUT]: PART.input(job, round, index),
  };
  return names[artefact];
}

function manifestIn(envelope: Envelope | undefined): JobManifest {
  return decode(JobManifest, 'manifest', envelope?.payload ?? new Uint8Array(), LIMITS.manifestBytes);
}

/** A result at 200 silos has some 100 KiB. */
const RESULT_BYTES = 256 * 1024;

function confirmationsIn(result: Envelope | undefined): readonly Envelope[] {
  return result === undefined ? [] : decode(RoundResult, 'result', result.payload, RESULT_BYTES).consistency;
}

function joined(entries: readonly Uint8Array[]): Uint8Array {
  return concatenated(entries.flatMap((entry) => [u16be(entry.length), entry]));
}

/** Not with `concat`, whose arguments would be a million. */
function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
