// The long work of an agent, each piece beside the queue of events: it fetches, trains, uploads, verifies, and brings what came of it back
// as an event. All of it can be done again after a crash, with the same result.

import { hex, isCodedError, shortHex, type Clock } from '../src/base/index.js';
import type { Computer } from '../src/compute/index.js';
import type { AgentConfig } from '../src/config/index.js';
import {
  layoutOfRound,
  seal,
  siloSigner,
  type Manifest,
  type Plan,
  type Roster,
  type SiloEffect,
  type SiloEvent,
  type SiloSelf,
  type SiloState,
} from '../src/protocol/index.js';
import { parseJob } from '../src/job/index.js';
import type { Log } from '../src/telemetry/index.js';
import type { SiloClient } from '../src/transport/index.js';
import { Approval, decode, Outcome, type Envelope } from '../src/wire/index.js';
import { isOfDisk, type Background } from './background.js';
import { Contributor, type LocalWork } from './contribute.js';
import { forgetInput, inputName } from './input-store.js';
import { KeptInput } from './kept-input.js';
import { MaskedInput } from './masked-input.js';
import type { Offers } from './offers.js';
import { isPassing } from './outbox.js';
import { keepOwn } from './own-state.js';
import { approvingRule } from './policy.js';
import { prepareJob, type PreparedJob } from './prepare.js';
import type { Store } from './store.js';
import { changeWords, RosterFiles } from './roster-files.js';
import { verifyResult } from './verify.js';

/** Where the work is done: the agent, as far as its tasks may see it. */
export interface Site {
  readonly config: AgentConfig;
  readonly self: SiloSelf;
  readonly store: Store;
  readonly offers: Offers;
  readonly client: SiloClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly background: Background;
  /** For vector work. */
  readonly computer: Computer;
  /** DuckDB and ONNX Runtime unless given. */
  readonly work?: LocalWork | undefined;
  /** Aborts when the agent stops. */
  readonly signal: AbortSignal;
  state(): SiloState;
  feed(event: SiloEvent): Promise<unknown>;
  /** Hands in a signed message that is kept elsewhere. */
  submit(envelope: Envelope): void;
  /** Asks the coordinator for everything again: something that was of no use before is of use now. */
  watchAnew(): void;
}

type Effect<Kind extends SiloEffect['kind']> = Extract<SiloEffect, { kind: Kind }>;

export class Tasks {
  readonly #site: Site;
  readonly #contributor: Contributor;
  readonly #prepared = new Map<string, PreparedJob>();
  #kept: KeptInput | undefined;
  #unread = false;
  readonly #rosters: RosterFiles;

  constructor(site: Site) {
    this.#site = site;
    this.#rosters = new RosterFiles(site.config.state);
    this.#contributor = new Contributor(
      site,
      ({ code, message }) => {
        site.log.warn('round.notice', { work: 'contribute', code, detail: message });
      },
      site.work,
    );
  }

  /** A job is over: what it needed is let go. */
  async release(jobId: string): Promise<void> {
    this.#prepared.delete(jobId);
    this.#kept = undefined;
    await this.#contributor.release(jobId);
  }

  close(): Promise<void> {
    return this.#contributor.close();
  }

  async ask(manifest: Manifest): Promise<void> {
    const { config, offers, self, clock, log } = this.#site;
    await offers.offer(manifest);
    log.info('job.offered', { job: manifest.jobId, manifest: shortHex(manifest.hash) });
    const rule = approvingRule(config.policy, manifest);
    if (rule === undefined) return;
    const approval = seal(self.signingKey, siloSigner(self.siloId), 'approval', Approval, {
      siloId: self.siloId,
      manifestHash: manifest.hash,
      approved: true,
      note: `by rule: ${rule}`,
      atUnixMs: BigInt(clock.now()),
    });
    await this.#site.feed({ $case: 'jobDecided', value: { approval } });
  }

  /** Hands decisions on disk to the state machine; those it knows already change nothing. */
  readDecisions(): void {
    this.#unread = true;
    // A decision that is written while others are read is read in another pass: the flag is looked at after each.
    this.#site.background.run('decisions', async () => {
      while (this.#unread) {
        this.#unread = false;
        await this.#readDecisionsOnce();
      }
    });
  }

  async #readDecisionsOnce(): Promise<void> {
    const { offers, log } = this.#site;
    // Handed in at every start, too: said again in the same bytes, a vote counts once.
    for (const vote of await offers.votes()) this.#site.submit(vote);
    await this.#readSuccessor();
    const { approvals, unreadable } = await offers.decisions();
    for (const file of unreadable) log.warn('round.notice', { work: 'decisions', code: 'wire/malformed', file });
    for (const approval of approvals) {
      const { manifestHash } = decode(Approval, 'decision', approval.payload);
      const job = [...this.#site.state().jobs.values()].find((one) => hex(one.manifest.hash) === hex(manifestHash));
      if (job?.decision === 'undecided') await this.#site.feed({ $case: 'jobDecided', value: { approval } });
    }
  }

  /** The silo's operator is told by a file that `roster show` reads, and by the log when it is new. */
  async askAboutRoster({ proposed, signatures }: Effect<'ask-about-roster'>): Promise<void> {
    const { log } = this.#site;
    const { roster } = this.#site.state().self;
    const kept = await this.#rosters.propose(roster, proposed, signatures);
    const fields = { roster: shortHex(proposed.hash), ...changeWords(roster, proposed) };
    if (kept === 'new') log.info('roster.proposed', fields);
    else if (kept === 'too-many') log.warn('roster.not-kept', fields);
  }

  /** Where the operator's commands find the roster in force. */
  async keepRoster(roster: Roster): Promise<void> {
    await this.#rosters.keepChain(roster);
    const before = roster.succeeds?.roster;
    if (before === undefined) return;
    const { epoch, hash } = roster;
    this.#site.log.info('roster.in-force', {
      epoch: Number(epoch),
      roster: shortHex(hash),
      ...changeWords(before, roster),
    });
  }

  async #readSuccessor(): Promise<void> {
    const { self, successor } = this.#site.state();
    const value = await this.#rosters.signed(self.roster.epoch + 1n);
    if (value !== undefined) await this.#site.feed({ $case: 'successorSigned', value });
    else if (successor !== undefined) this.#site.submit(successor.envelope);
  }

  async prepare(manifest: Manifest): Promise<void> {
    const { config, store, client, log } = this.#site;
    const { jobId } = manifest;
    const { dataSet } = parseJob(manifest.message).contract;
    const answer = { jobId, modelHash: new Uint8Array() as Uint8Array, refusedCode: '', refusedDetail: '', dataSet };
    try {
      const prepared = await prepareJob(config, store, this.#site.state(), client, manifest);
      this.#prepared.set(jobId, prepared);
      answer.modelHash = prepared.modelHash;
    } catch (error) {
      if (!isCodedError(error) || isOfDisk(error) || isPassing(error) || error.code.startsWith('transport/'))
        throw error;
      answer.refusedCode = error.code;
      answer.refusedDetail = error.message;
      log.error('job.unfit', { job: jobId, code: error.code, detail: error.message });
    }
    // Found unfit for the same reason again, after a reconnect: nothing that a journal needs to hear twice.
    if (answer.refusedCode !== '' && this.#site.state().jobs.get(manifest.jobId)?.unfit !== undefined) return;
    await this.#site.feed({ $case: 'jobPrepared', value: answer });
    if (answer.refusedCode === '') this.#site.watchAnew();
  }

  async contribute(effect: Effect<'contribute'>): Promise<void> {
    const { config, store, client, log } = this.#site;
    const { manifest, plan, roundSecret } = effect;
    const about = { jobId: plan.jobId, round: plan.round };
    try {
      const prepared =
        this.#prepared.get(plan.jobId) ?? (await prepareJob(config, store, this.#site.state(), client, manifest));
      this.#prepared.set(plan.jobId, prepared);
      const { steps, droppedRows, ...stored } = await this.#contributor.contribute(
        manifest,
        plan,
        roundSecret,
        prepared,
        this.#site.signal,
      );
      log.info('round.contributed', { job: plan.jobId, round: plan.round, steps, droppedRows });
      await this.#site.feed({
        $case: 'contributionReady',
        value: { ...about, ...stored, inputKeys: [...stored.inputKeys] },
      });
      // The round ended meanwhile, and nobody else knows of the file.
      if (!this.#isOpen(plan.rid) && !this.#site.signal.aborted) await forgetInput(store, inputName(stored.inputHash));
    } catch (error) {
      if (this.#site.signal.aborted) return;
      if (!isCodedError(error) || isOfDisk(error) || error.code.startsWith('transport/')) throw error;
      log.error('round.notice', { job: plan.jobId, round: plan.round, code: error.code, detail: error.message });
      await this.#contributor.release(plan.jobId);
      await this.#site.feed({ $case: 'contributionFailed', value: { ...about, code: error.code } });
    }
  }

  #maskedInput(effect: Effect<'mask-and-upload' | 'fingerprint'>): MaskedInput {
    const { kind, plan, attempt, inputHash, masks, modulusBits } = effect;
    const job = this.#site.state().jobs.get(plan.jobId);
    const length = job === undefined ? 0 : layoutOfRound(job.manifest, plan.round).length;
    const lane = this.#site.computer.laneFor(length);
    if (this.#kept?.isOf(plan.rid, attempt) !== true)
      this.#kept = kind === 'mask-and-upload' ? KeptInput.of(plan.rid, attempt, length, lane) : undefined;
    const { inputs } = this.#site.store;
    return new MaskedInput({ inputs, inputHash, length, masks, modulusBits, kept: this.#kept, lane });
  }

  #isOpen(rid: Uint8Array): boolean {
    return [...this.#site.state().jobs.values()].some(
      ({ open }) => open !== undefined && hex(open.plan.rid) === hex(rid),
    );
  }

  async upload(effect: Effect<'mask-and-upload'>): Promise<void> {
    const { plan, attempt } = effect;
    const input = this.#maskedInput(effect);
    await this.#whileOpen(plan.rid, async () => {
      await this.#site.client.upload({
        rid: plan.rid,
        attempt,
        totalBytes: input.totalBytes,
        read: (offset) => input.read(offset),
        signal: this.#site.signal,
      });
      const root = await input.root();
      input.wipe();
      await this.#site.feed({ $case: 'inputMasked', value: { rid: plan.rid, attempt, root } });
    });
  }

  async fingerprint(effect: Effect<'fingerprint'>): Promise<void> {
    const input = this.#maskedInput(effect);
    await this.#whileOpen(effect.plan.rid, async () => {
      const [tau0, tau1] = await input.fingerprints(effect.survivors);
      input.wipe();
      this.#kept = undefined;
      await this.#site.feed({ $case: 'fingerprinted', value: { t3: effect.survivors.t3, tau0, tau1 } });
    });
  }

  /** Work on the stored input of a round that may end meanwhile, whereupon the input is gone: no trouble then. */
  async #whileOpen(rid: Uint8Array, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (isCodedError(error) && isOfDisk(error) && !this.#isOpen(rid)) return;
      throw error;
    }
  }

  /** Of an input that a disk which was set back has lost; none when the records can no longer be read. */
  async #forgottenKeys(manifest: Manifest, plan: Plan): Promise<Uint8Array[]> {
    try {
      return await this.#contributor.keysOf(manifest, plan);
    } catch (error) {
      if (!isCodedError(error)) throw error;
      return [];
    }
  }

  async verify({ manifest, result, directive, restores }: Effect<'verify-result'>): Promise<void> {
    const { store, client, computer, self } = this.#site;
    const { plan } = result.context;
    const own = restores ? { restored: true, ownInputKeys: await this.#forgottenKeys(manifest, plan) } : undefined;
    const value = await verifyResult({ store, client, computer }, manifest, result, directive, own);
    const inSum = result.survivors.members.has(plan.cohort.indexOf(self.siloId));
    if (value.outcome === Outcome.OUTCOME_APPLIED && inSum) await keepOwn(store, plan.jobId, plan.rid);
    await this.#site.feed({ $case: 'resultVerified', value });
    // A job that could not be prepared for want of this result can be now.
    const waits = [...this.#site.state().jobs.values()].some(
      (job) => job.unfit?.startsWith('agent/no-statistics') === true,
    );
    if (waits) this.#site.watchAnew();
  }
}
