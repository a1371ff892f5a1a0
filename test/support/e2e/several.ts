// Several coordinators of one consortium behind one address: their configurations, and a balancer for TCP that knows nothing of TLS, as one
// would stand before them.

import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { PostgresServer } from '../postgres.js';
import { CONSORTIUM, type Founded } from './founding.js';
import type { LogLine } from './consortium.js';
import { freePort, startProgram, type Faults, type Running } from './processes.js';

/** Gives each connection to the back end with the fewest, of those that take it. */
export class Balancer {
  readonly #server: Server;
  /** Connections by port. */
  readonly #ports = new Map<number, Set<Socket>>();

  private constructor() {
    this.#server = createServer((outer) => {
      outer.on('error', () => undefined);
      outer.pause();
      this.#dial(outer, new Set());
    });
  }

  static async listen(port: number): Promise<Balancer> {
    const balancer = new Balancer();
    await new Promise<void>((resolve) => balancer.#server.listen(port, '127.0.0.1', resolve));
    return balancer;
  }

  add(port: number): void {
    if (!this.#ports.has(port)) this.#ports.set(port, new Set());
  }

  /** As a balancer does with one that does not answer: cuts its connections and makes no new ones. */
  remove(port: number): void {
    const open = this.#ports.get(port) ?? [];
    this.#ports.delete(port);
    for (const socket of open) socket.destroy();
  }

  cutAll(): void {
    for (const open of this.#ports.values()) for (const socket of open) socket.destroy();
  }

  #dial(outer: Socket, tried: Set<number>): void {
    const [first] = [...this.#ports].filter(([port]) => !tried.has(port)).sort(([, a], [, b]) => a.size - b.size);
    if (first === undefined) {
      outer.destroy();
      return;
    }
    const [port, open] = first;
    const inner = connect(port, '127.0.0.1');
    open.add(inner);
    let taken = false;
    inner.once('connect', () => {
      taken = true;
      outer.pipe(inner).pipe(outer);
    });
    inner.on('error', () => undefined);
    inner.on('close', () => {
      open.delete(inner);
      if (taken) outer.destroy();
      else this.#dial(outer, tried.add(port));
    });
    outer.on('close', () => inner.destroy());
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class Coordinators {
  readonly #founded: Founded;
  readonly #balancer: Balancer;
  readonly #storage: string;
  readonly #ports = new Map<string, number>();
  readonly running = new Map<string, Running>();

  private constructor(founded: Founded, balancer: Balancer, storage: string) {
    this.#founded = founded;
    this.#balancer = balancer;
    this.#storage = storage;
  }

  /** `port`: the one address. */
  /** `extra`: more lines for each configuration. */
  static async behind(
    port: number,
    founded: Founded,
    server: PostgresServer,
    { leaseSeconds = 4, extra = '' }: { readonly leaseSeconds?: number; readonly extra?: string } = {},
  ): Promise<Coordinators> {
    const storage = `storage: ${server.url(await server.database())}
database: { password: ${server.passwordFile}, leaseSeconds: ${leaseSeconds} }
${extra}`;
    return new Coordinators(founded, await Balancer.listen(port), storage);
  }

  config(name: string): string {
    return this.#founded.at(`${name}.yaml`);
  }

  /** Past the balancer. */
  address(name: string): string {
    return `localhost:${this.#ports.get(name) ?? 0}`;
  }

  /** Cuts every connection: whoever dials anew is given away anew. */
  cutAll(): void {
    this.#balancer.cutAll();
  }

  /** The one that this silo has its newest stream to. */
  of(silo: string): string | undefined {
    let newest = { time: -1, name: '' };
    for (const name of this.running.keys())
      for (const { event, silo: who, time } of this.log(name)) {
        if (who !== silo || (event !== 'silo.connected' && event !== 'silo.gone')) continue;
        const at = Number(new Date(String(time)));
        if (event === 'silo.connected' && at >= newest.time) newest = { time: at, name };
      }
    return newest.name === '' ? undefined : newest.name;
  }

  async configure(name: string): Promise<number> {
    const port = this.#ports.get(name) ?? (await freePort());
    this.#ports.set(name, port);
    await writeFile(
      this.config(name),
      `consortium: ${CONSORTIUM}
state: state/${name}
listen: 127.0.0.1:${port}
tls: { bundle: coordinator.tls.pem, ca: ca.pem }
keys: { signing: coordinator.key, log: log.key, storage: coordinator.storage.key }
roster: { file: roster.bin }
log: { file: logs/${name}.log }
${this.#storage}`,
    );
    return port;
  }

  async start(name: string, faults: Faults = ''): Promise<Running> {
    const running = await this.launch(name, faults);
    await running.line('{');
    return running;
  }

  /** Does not wait until it listens: it may die before. */
  async launch(name: string, faults: Faults): Promise<Running> {
    const port = await this.configure(name);
    const running = startProgram('coordinator', ['run', '--config', this.config(name)], faults);
    this.running.set(name, running);
    running.line('{').then(
      () => {
        this.#balancer.add(port);
      },
      () => undefined,
    );
    return running;
  }

  /** Stops its process where it is; the balancer notices. */
  stop(name: string): void {
    this.running.get(name)?.child.kill('SIGSTOP');
    this.#balancer.remove(this.#ports.get(name) ?? 0);
  }

  log(name: string): LogLine[] {
    const path = this.#founded.at('logs', `${name}.log`);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as LogLine);
  }

  /** What each said last, for the error of a test. */
  tails(): string {
    return [...this.running.keys()]
      .map(
        (name) =>
          `--- ${name}\n${this.log(name)
            .slice(-8)
            .map((line) => JSON.stringify(line))
            .join('\n')}`,
      )
      .join('\n');
  }

  /** Of those that live, the one that took the lease last. */
  leader(): string | undefined {
    let newest = { token: 0, name: '' };
    for (const name of this.running.keys())
      for (const { event, token } of this.log(name))
        if (event === 'lease.taken' && Number(token) > newest.token) newest = { token: Number(token), name };
    const child = this.running.get(newest.name)?.child;
    return child?.exitCode === null && child.signalCode === null ? newest.name : undefined;
  }

  async close(): Promise<void> {
    for (const { child } of this.running.values()) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
    }
    await Promise.all([...this.running.values()].map(({ ended }) => ended));
    await this.#balancer.close();
  }
}
