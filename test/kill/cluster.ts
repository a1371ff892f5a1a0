// Two coordinators on one database, of which one is killed at each of its failpoints: as the one that stands by and hands messages on, and
// as the one that leads, right after it has taken over. The other is killed each time so that it comes to lead.

import { readFileSync } from 'node:fs';
import { Consortium } from '../support/e2e/consortium.js';
import { endOf, eventually, isAlive, pause, startProgram, type Running } from '../support/e2e/processes.js';
import { Coordinators } from '../support/e2e/several.js';
import { PostgresServer } from '../support/postgres.js';
import type { Report } from './battery.js';
import { wrongDisks, wrongRounds } from './checks.js';
import { PATIENCE_MS, runJobs, type DoneJob } from './jobs.js';
import { settled, type Points } from './points.js';

const LEASE_SECONDS = 2;
/** Comes with the start of a process or with its end, which a single coordinator's battery looks at. */
const OTHERWISE = /folder|lock|secret|founding/;

const PLAIN = 'steady';
const DOOMED = 'doomed';

export async function killInCluster(only: RegExp, say: (line: string) => void): Promise<Report> {
  const server = await PostgresServer.start();
  const consortium = await Consortium.found({ silos: 3 });
  const battery = new ClusterBattery(consortium, say);
  try {
    return await battery.run(server, only);
  } finally {
    await battery.close();
    await consortium.close();
    await server.stop();
  }
}

class ClusterBattery {
  readonly #consortium: Consortium;
  readonly #say: (line: string) => void;
  #coordinators: Coordinators | undefined;
  readonly #jobs: DoneJob[] = [];
  readonly #deaths: string[] = [];
  #over = false;

  constructor(consortium: Consortium, say: (line: string) => void) {
    this.#consortium = consortium;
    this.#say = say;
  }

  async close(): Promise<void> {
    this.#over = true;
    await this.#coordinators?.close();
  }

  get #several(): Coordinators {
    if (this.#coordinators === undefined) throw new Error('no coordinator was started');
    return this.#coordinators;
  }

  async run(server: PostgresServer, only: RegExp): Promise<Report> {
    const consortium = this.#consortium;
    await consortium.takePort();
    this.#coordinators = await Coordinators.behind(consortium.port, consortium.founded, server, {
      leaseSeconds: LEASE_SECONDS,
    });
    const { leading, following } = await this.#points();
    const chosen = (names: readonly string[]): string[] =>
      names.filter((name) => only.test(name) && !OTHERWISE.test(name));
    this.#say(
      `a complete run passes ${leading.length} failpoints in the one that leads, ${following.length} in another`,
    );
    const working = (async () => {
      for (let number = 2; !this.#isOver(); number++) this.#jobs.push(...(await runJobs(consortium, number)));
    })();
    // Observed below; a failure must not pass for an unhandled one meanwhile.
    working.catch(() => undefined);
    for (const point of chosen(following)) await this.#dieFollowing(point);
    for (const point of chosen(leading)) await this.#dieLeading(point);
    this.#over = true;
    await working;
    return this.#conclude();
  }

  #isOver(): boolean {
    return this.#over;
  }

  /** Of a run without a fault, with training. */
  async #points(): Promise<{ readonly leading: Points['working']; readonly following: Points['working'] }> {
    const consortium = this.#consortium;
    const { at } = consortium.founded;
    const files = { leading: at('leading.trace'), following: at('following.trace') };
    await this.#several.start(PLAIN, { trace: files.leading });
    await this.#several.start(DOOMED, { trace: files.following });
    await consortium.prepareClients();
    for (const silo of consortium.silos) consortium.startAgent(silo);
    this.#jobs.push(...(await runJobs(consortium, 1)));
    await settled(
      consortium,
      this.#jobs.map(({ job }) => job.jobId),
    );
    const namesIn = (file: string): string[] => [...new Set(readFileSync(file, 'utf8').split('\n').slice(0, -1))];
    return { leading: namesIn(files.leading), following: namesIn(files.following) };
  }

  async #dieFollowing(point: string): Promise<void> {
    await this.#kill(DOOMED);
    await this.#steady();
    const doomed = await this.#several.launch(DOOMED, point);
    await this.#death(doomed, `${DOOMED} following`, point);
  }

  async #dieLeading(point: string): Promise<void> {
    await this.#kill(DOOMED);
    await this.#steady();
    const doomed = await this.#several.launch(DOOMED, point);
    const listens = doomed.line('{').then(
      () => true,
      () => false,
    );
    if (await listens) {
      await this.#kill(PLAIN);
      await eventually('a takeover', () => !isAlive(doomed) || this.#several.leader() === DOOMED, {
        ms: PATIENCE_MS,
        why: () => this.#several.tails(),
      });
      await this.#steady();
    }
    await this.#death(doomed, `${DOOMED} leading`, point);
  }

  /** As a service manager would see to it. */
  async #steady(): Promise<void> {
    const running = this.#several.running.get(PLAIN);
    if (running === undefined || !isAlive(running)) await this.#several.start(PLAIN);
  }

  async #kill(name: string): Promise<void> {
    const running = this.#several.running.get(name);
    if (running === undefined || !isAlive(running)) return;
    running.child.kill('SIGKILL');
    await endOf(running, name);
  }

  /** Silos are given away anew meanwhile, so that each coordinator comes to see all that may happen. */
  async #death(doomed: Running, as: string, point: string): Promise<void> {
    const over = new AbortController();
    const stirring = (async () => {
      for (;;) {
        await pause(2_000);
        if (over.signal.aborted) return;
        await this.#steady();
        this.#several.cutAll();
      }
    })();
    const { signal, code, stderr } = await endOf(
      doomed,
      `${as} at ${point}`,
      () => this.#several.tails(),
      PATIENCE_MS,
    ).finally(() => {
      over.abort();
    });
    await stirring;
    if (signal !== 'SIGKILL') throw new Error(`${as} ended with ${String(code)} before ${point}: ${stderr}`);
    this.#deaths.push(`${as} ${point}`);
    this.#say(`${as} died at ${point}`);
  }

  /** Back to files, from where the same is looked at as of a single coordinator. */
  async #conclude(): Promise<Report> {
    const consortium = this.#consortium;
    await this.#kill(DOOMED);
    await this.#steady();
    await settled(
      consortium,
      this.#jobs.slice(-1).map(({ job }) => job.jobId),
    );
    for (const { job } of this.#jobs) await consortium.acknowledgedRounds(job.jobId, PATIENCE_MS);
    const wrong = await wrongRounds(consortium, this.#jobs);
    await consortium.stopPrograms();
    const steady = this.#several.running.get(PLAIN);
    steady?.child.kill('SIGTERM');
    await steady?.ended;
    const { at } = consortium.founded;
    const command = async (...args: string[]): Promise<void> => {
      const { code, stdout, stderr } = await startProgram('coordinator', args).ended;
      if (code !== 0) wrong.push(`${args.join(' ')} ended with ${String(code)}: ${stdout}${stderr}`);
    };
    await command('fsck', '--config', this.#several.config(PLAIN));
    await command('backup', '--config', this.#several.config(PLAIN), '--out', at('copy'));
    await command('restore', '--config', at('coordinator.yaml'), '--from', at('copy'));
    wrong.push(...(await wrongDisks(consortium)));
    return { deaths: this.#deaths, jobs: this.#jobs.length, wrong };
  }
}
