// How the operator's command and the running agent meet: files in the state folder, written durably. The agent writes each offered
// manifest; the command writes a decision signed with the silo's key; the agent watches for it. No port, no socket.

import { watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, isCodedError, LIMITS, type SiloId } from '../src/base/index.js';
import type { SigningKey } from '../src/crypto/index.js';
import { openManifest, seal, siloSigner, type Manifest, type Roster } from '../src/protocol/index.js';
import { makeDirectory, writeFileDurably } from '../src/system/index.js';
import { Approval, decode, encode, Envelope } from '../src/wire/index.js';
import { AgentError } from './errors.js';

const OFFER = '.manifest';
const DECISION = '.decision';
const VOTE = '.vote';

export class Offers {
  readonly #offers: string;
  readonly #decisions: string;

  private constructor(state: string) {
    this.#offers = join(state, 'offers');
    this.#decisions = join(state, 'decisions');
  }

  static async open(state: string): Promise<Offers> {
    const offers = new Offers(state);
    await makeDirectory(offers.#offers);
    await makeDirectory(offers.#decisions);
    return offers;
  }

  async offer(manifest: Manifest): Promise<void> {
    const path = join(this.#offers, `${hex(manifest.hash)}${OFFER}`);
    await writeFileDurably(path, encode(Envelope, manifest.envelope), { replace: true });
  }

  /** All offered manifests, checked again against the roster; what does not check is left out. */
  async list(roster: Roster): Promise<Manifest[]> {
    const manifests: Manifest[] = [];
    for (const name of (await readdir(this.#offers)).sort()) {
      if (!name.endsWith(OFFER)) continue;
      try {
        manifests.push(openManifest(roster, await readEnvelope(join(this.#offers, name))));
      } catch (error) {
        if (!isCodedError(error)) throw error;
      }
    }
    return manifests.sort((a, b) => a.jobId.localeCompare(b.jobId));
  }

  /** By job id, or by the hash or at least 8 digits of its beginning. Throws AgentError `agent/unknown-job`. */
  async find(roster: Roster, name: string): Promise<Manifest> {
    const all = await this.list(roster);
    const found = all.filter((one) => one.jobId === name || (name.length >= 8 && hex(one.hash).startsWith(name)));
    const [manifest] = found;
    if (manifest === undefined || found.length > 1) {
      const known =
        all.length === 0 ? 'none has been offered yet' : `known are ${all.map((one) => one.jobId).join(', ')}`;
      throw new AgentError('agent/unknown-job', `no single job is named "${name}": ${known}.`, { category: 'missing' });
    }
    return manifest;
  }

  async decisionOn(manifestHash: Uint8Array): Promise<Approval | undefined> {
    const envelope = await this.#decision(manifestHash);
    return envelope === undefined ? undefined : decode(Approval, 'decision', envelope.payload);
  }

  async #decision(manifestHash: Uint8Array): Promise<Envelope | undefined> {
    try {
      return await readEnvelope(join(this.#decisions, `${hex(manifestHash)}${DECISION}`));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Signs and writes a decision. Throws AgentError `agent/already-decided`. */
  async decide(
    key: SigningKey,
    silo: SiloId,
    manifest: Manifest,
    decision: { readonly approved: boolean; readonly note: string; readonly atMs: number },
  ): Promise<void> {
    const before = await this.decisionOn(manifest.hash);
    if (before !== undefined)
      throw new AgentError(
        'agent/already-decided',
        `job "${manifest.jobId}" was ${before.approved ? 'approved' : 'refused'} before.`,
        { category: 'state' },
      );
    const envelope = seal(key, siloSigner(silo), 'approval', Approval, {
      siloId: silo,
      manifestHash: manifest.hash,
      approved: decision.approved,
      note: decision.note,
      atUnixMs: BigInt(decision.atMs),
    });
    await writeFileDurably(join(this.#decisions, `${hex(manifest.hash)}${DECISION}`), encode(Envelope, envelope));
  }

  /** Every decision on disk, and the names of files that hold none: one bad file must not hide the others. */
  async decisions(): Promise<{ readonly approvals: readonly Envelope[]; readonly unreadable: readonly string[] }> {
    const approvals: Envelope[] = [];
    const unreadable: string[] = [];
    for (const name of (await readdir(this.#decisions)).sort()) {
      if (!name.endsWith(DECISION)) continue;
      try {
        const envelope = await readEnvelope(join(this.#decisions, name));
        decode(Approval, 'decision', envelope.payload);
        approvals.push(envelope);
      } catch (error) {
        if (!isCodedError(error)) throw error;
        unreadable.push(name);
      }
    }
    return { approvals, unreadable };
  }

  /** Keeps a signed vote for the running agent to hand in; the same vote again is the same file. */
  async vote(envelope: Envelope): Promise<void> {
    const name = hex(envelope.signature.subarray(0, 16));
    await writeFileDurably(join(this.#decisions, `${name}${VOTE}`), encode(Envelope, envelope), { replace: true });
  }

  /** Every vote on disk; what is none is left out. */
  async votes(): Promise<Envelope[]> {
    const votes: Envelope[] = [];
    for (const name of (await readdir(this.#decisions)).sort()) {
      if (!name.endsWith(VOTE)) continue;
      try {
        votes.push(await readEnvelope(join(this.#decisions, name)));
      } catch (error) {
        if (!isCodedError(error)) throw error;
      }
    }
    return votes;
  }

  /** Calls `onChange` when a decision may have been written. Returns the way to stop. */
  watch(onChange: () => void): () => void {
    const watcher = watch(this.#decisions, { persistent: false }, () => {
      onChange();
    });
    return () => {
      watcher.close();
    };
  }
}

async function readEnvelope(path: string): Promise<Envelope> {
  return decode(Envelope, 'envelope', new Uint8Array(await readFile(path)), LIMITS.manifestBytes + 1024);
}
