// A running consortium: its programs as processes, its operator as a client, its silos' operators as writers of decisions.

import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { Offers } from '../../../silo-agent/offers.js';
import { asSiloId, hex } from '../../../src/base/index.js';
import { SigningKey } from '../../../src/crypto/index.js';
import { readBundle, readSigningKey } from '../../../src/pki/index.js';
import { openManifest, seal } from '../../../src/protocol/index.js';
import { systemClock, systemRng } from '../../../src/system/index.js';
import { connectAdmin, type AdminClient } from '../../../src/transport/index.js';
import { JobManifest, JobState, type Envelope, type Job, type Round } from '../../../src/wire/index.js';
import { agentYaml, CONSORTIUM, coordinatorYaml, found, OPERATOR } from './founding.js';
import type { AgentSettings, Founded, FoundingOptions } from './founding.js';
import {
  begin,
  endOf,
  eventually,
  freePort,
  isAlive,
  PATIENCE_MS,
  pause,
  prepareProgram,
  startProgram,
  stopAll,
  type Ended,
  type Faults,
  type Running,
} from './processes.js';

process.env['no_grpc_proxy'] = '127.0.0.1,localhost';

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly code?: string;
  readonly detail?: string;
  readonly [field: string]: unknown;
}

export interface DyingOptions {
  /** How long a program may live with a failpoint armed. */
  readonly patienceMs?: number;
  readonly onDeath?: (failpoint: string) => void;
}

export class Consortium {
  readonly founded: Founded;
  readonly #running = new Map<string, Running>();
  readonly #prepared = new Set<Running>();
  #port = 0;
  #client: AdminClient | undefined;

  private constructor(founded: Founded) {
    this.founded = founded;
  }

  static async found(options: FoundingOptions = {}): Promise<Consortium> {
    return new Consortium(await found(options));
  }

  get silos(): readonly string[] {
    return this.founded.silos;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `localhost:${this.#port}`;
  }

  /** More lines of the coordinator's configuration, before it is started. */
  coordinatorExtra = '';

  get client(): AdminClient {
    if (this.#client === undefined) throw new Error('the consortium has not been started');
    return this.#client;
  }

  /** Coordinator, operator's client, and the agents of `silos` (all unless stated). */
  async start(silos: readonly string[] = this.silos): Promise<void> {
    await this.startCoordinator();
    await this.prepareClients();
    for (const silo of silos) this.startAgent(silo);
  }

  /** What start does before the agents: their configurations and the operator's client. */
  async prepareClients(): Promise<void> {
    for (const silo of this.silos) await this.configureAgent({ silo });
    const bundle = await readBundle(this.founded.at(`${OPERATOR}.tls.pem`));
    this.#client = connectAdmin({
      address: this.address,
      tls: { ...bundle, authorityPem: this.founded.authorityPem },
      consortium: CONSORTIUM,
      clock: systemClock,
      rng: systemRng,
      // A killed coordinator is back in a second: nobody waits for half a minute.
      limits: { backoffCapMs: 500, triesMax: 80 },
    });
  }

  /** Ends every process and removes the folder. Safe to call at any time. */
  async close(): Promise<void> {
    this.#client?.close();
    await this.stopPrograms();
    await rm(this.founded.folder, { recursive: true, force: true });
  }

  /** SIGTERM to every program; how each that was started last under its name ended. */
  async stopPrograms(): Promise<Map<string, Ended>> {
    const running = [...this.#running];
    await stopAll([...this.#prepared, ...running.map(([, one]) => one)]);
    this.#prepared.clear();
    this.#running.clear();
    return new Map(await Promise.all(running.map(async ([name, one]) => [name, await one.ended] as const)));
  }

  /** Fixes the coordinator's port, so that its peers can wait for a coordinator that has never run. */
  async takePort(): Promise<void> {
    this.#port = await freePort();
    await writeFile(this.founded.at('coordinator.yaml'), coordinatorYaml(this.#port, this.coordinatorExtra));
  }

  async startCoordinator(faults: Faults = ''): Promise<Running> {
    const { at } = this.founded;
    if (this.#port === 0) await this.takePort();
    else await writeFile(at('coordinator.yaml'), coordinatorYaml(this.#port, this.coordinatorExtra));
    const running = startProgram('coordinator', this.#runArguments('coordinator'), faults);
    this.#running.set('coordinator', running);
    const { listening } = JSON.parse(await running.line('{')) as { listening: number };
    // From now on it listens where its peers look for it.
    this.#port = listening;
    await writeFile(at('coordinator.yaml'), coordinatorYaml(listening, this.coordinatorExtra));
    return running;
  }

  #runArguments(name: string): string[] {
    return ['run', '--config', this.founded.at(`${name}.yaml`)];
  }

  async configureAgent(settings: Omit<AgentSettings, 'port'>): Promise<string> {
    const path = this.founded.at(`${settings.name ?? settings.silo}.yaml`);
    await writeFile(path, agentYaml(this.founded, { ...settings, port: this.#port }));
    return path;
  }

  /** `name`: of its configuration; the silo's own unless it plays somebody odd. */
  startAgent(name: string, faults: Faults = ''): Running {
    const running = startProgram('agent', this.#runArguments(name), faults);
    this.#running.set(name, running);
    return running;
  }

  /** SIGKILL, and the end of it. */
  async kill(name: string): Promise<Ended> {
    const running = this.running(name);
    running.child.kill('SIGKILL');
    return endOf(running, name);
  }

  running(name: string): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} was never started`);
    return running;
  }

  /**
   * Starts a program once for each failpoint, sees it die there, and starts it at last for good. Resolves with the failpoints hit. The
   * program must not be running.
   */
  async dieAt(name: string, failpoints: readonly string[], options: DyingOptions = {}): Promise<string[]> {
    const program = name === 'coordinator' ? 'coordinator' : 'agent';
    const lives = [...failpoints, ''];
    const prepare = (life: number): Running | undefined => {
      const failpoint = lives[life];
      if (failpoint === undefined) return undefined;
      const prepared = prepareProgram(program, this.#runArguments(name), failpoint);
      this.#prepared.add(prepared);
      return prepared;
    };
    const hit: string[] = [];
    let next = prepare(0);
    for (let life = 0; next !== undefined; life++) {
      const current = await begin(next);
      this.#running.set(name, current);
      this.#prepared.delete(next);
      next = prepare(life + 1);
      const failpoint = lives[life]!;
      if (failpoint === '') break;
      const end = await endOf(current, `${name} at ${failpoint}`, () => this.tail(name), options.patienceMs);
      if (end.signal !== 'SIGKILL')
        throw new Error(`${name} with ${failpoint} ended with ${end.code}:\n${end.stderr}\n${this.tail(name)}`);
      hit.push(failpoint);
      options.onDeath?.(failpoint);
    }
    return hit;
  }

  /** Signs and offers a job as the operator. */
  async offer(manifest: JobManifest): Promise<Envelope> {
    const { seed } = await readSigningKey(this.founded.at(`${OPERATOR}.key`));
    const envelope = seal(SigningKey.from(seed), `operator/${OPERATOR}`, 'manifest', JobManifest, manifest);
    await this.client.createJob({ manifest: envelope });
    return envelope;
  }

  async putBlob(bytes: Uint8Array): Promise<void> {
    await this.client.putBlob(async function* () {
      yield await Promise.resolve(bytes);
    });
  }

  /** The operator of a silo decides, once the offer is in the agent's folder. */
  async decide(silo: string, manifest: Envelope, approved = true): Promise<void> {
    const { at, roster } = this.founded;
    const { hash } = openManifest(roster, manifest);
    const offers = await Offers.open(at('state', silo));
    const offered = await eventually(
      `the offer of a job in the folder of ${silo}`,
      async () => (await offers.list(roster)).find((one) => hex(one.hash) === hex(hash)),
      { why: () => this.tail(silo) },
    );
    const { seed } = await readSigningKey(at(`${silo}.key`));
    const decision = { approved, note: 'decided by a test', atMs: Date.now() };
    await offers.decide(SigningKey.from(seed), asSiloId(silo)!, offered, decision);
  }

  async approve(manifest: Envelope, silos: readonly string[] = this.silos): Promise<void> {
    await Promise.all(silos.map((silo) => this.decide(silo, manifest)));
  }

  /** Follows a job through breaks of the stream until it is over. */
  async finished(jobId: string, ms = PATIENCE_MS): Promise<Job> {
    const signal = AbortSignal.timeout(ms);
    let last = 'nothing';
    while (!signal.aborted) {
      try {
        for await (const { update } of this.client.watchRounds({ jobId }, signal)) {
          if (update?.$case === 'round') last = `round ${update.value.round} in phase ${update.value.phase}`;
          if (update?.$case !== 'job') continue;
          last = `job in state ${update.value.state}`;
          if (update.value.state > JobState.JOB_STATE_RUNNING) return update.value;
        }
      } catch {
        // The coordinator is away.
      }
      await pause(50);
    }
    const logs = ['coordinator', ...this.silos].map((name) => this.tail(name)).join('\n');
    throw new Error(`job ${jobId} was not over in time; last seen: ${last}\n${logs}`);
  }

  async rounds(jobId: string): Promise<Round[]> {
    return (await this.client.listRounds({ jobId, pageSize: 0, pageToken: '' })).rounds;
  }

  /** The rounds of a job that is over, once every member of each cohort has acknowledged its end. */
  async acknowledgedRounds(jobId: string, ms = PATIENCE_MS): Promise<Round[]> {
    return eventually(
      `acknowledgements of all rounds of ${jobId} by everybody`,
      async () => {
        const rounds = await this.rounds(jobId);
        return rounds.every((round) => round.acknowledgedBy.length === round.cohort.length) && rounds;
      },
      { ms, why: () => this.silos.map((silo) => this.tail(silo)).join('\n') },
    );
  }

  /** Waits until every silo has been told of the end of a job: only then may its programs be stopped and looked into. */
  async toldOfEnd(jobId: string, silos = this.silos): Promise<void> {
    for (const silo of silos)
      await eventually(
        `the news in ${silo} that ${jobId} is over`,
        () => this.log(silo).some(({ code, job }) => code === 'job/closed' && job === jobId),
        { why: () => this.tail(silo) },
      );
  }

  logText(name: string): string {
    const path = this.founded.at('logs', `${name}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  log(name: string): LogLine[] {
    const whole = this.logText(name).split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as LogLine);
  }

  tail(name: string, lines = 6): string {
    const running = this.#running.get(name);
    const state = running === undefined ? 'never started' : isAlive(running) ? 'alive' : 'ended';
    return `--- ${name} (${state})\n${this.logText(name).trimEnd().split('\n').slice(-lines).join('\n')}`;
  }
}
