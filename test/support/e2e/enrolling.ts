// A consortium that is founded as people found one: keys in each hospital, a roster from their public halves, an authority with its
// service, and nothing else on the hospitals' disks.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { endOf, startProgram, stopAll, type Ended, type Program, type Running } from './processes.js';

export const SILOS = ['alpha', 'beta', 'gamma'] as const;

export class Enrolling {
  readonly #running: Running[] = [];
  readonly folder: string;
  /** Of the authority's service. */
  port = 0;
  coordinatorPort = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  readonly at = (...path: string[]): string => join(this.folder, ...path);

  static async found(): Promise<Enrolling> {
    const made = new Enrolling(await mkdtemp(join(tmpdir(), 'veilsum-enrol-')));
    await made.#found();
    return made;
  }

  async #found(): Promise<void> {
    const { at } = this;
    const days = ['validFrom: 2026-01-01', 'validUntil: 2099-12-31'].map((line) => `    ${line}\n`).join('');
    const keygen = async (out: string): Promise<string> => (await this.ok('ca', 'keygen', '--out', out)).stdout.trim();
    const coordinatorKey = await keygen(at('coordinator.key'));
    const operator = await keygen(at('operator.key'));
    let members = '';
    for (const silo of SILOS) {
      const printed = (await this.ok('agent', 'keys', '--silo', silo, '--dir', at(silo))).stdout;
      members += `${printed}    organisation: ${silo}\n${days}`;
    }
    const text = `consortium: north\noperators:\n  - { id: olga, signingKey: "${operator}" }\nmembers:\n${members}coordinatorKey: "${coordinatorKey}"\n`;
    await writeFile(at('roster.yaml'), text);
    await this.ok('audit', 'roster', 'make', at('roster.yaml'), '--out', at('roster.bin'));
    await this.ok('ca', 'init', '--consortium', 'north', '--dir', at('ca'));
    await this.ok(
      'ca',
      ...[
        'issue',
        '--role',
        'coordinator',
        '--dns',
        'localhost',
        '--dir',
        at('ca'),
        '--out',
        at('coordinator.tls.pem'),
      ],
    );
  }

  /** The configuration of the service, as it then listens. */
  async configureService(more = ''): Promise<void> {
    await writeFile(
      this.at('authority.yaml'),
      `consortium: north\nfolder: ca\nlisten: 127.0.0.1:${this.port}\naddress: localhost:${this.port || 1}\n` +
        `coordinator: { address: "localhost:${this.coordinatorPort || 1}" }\nroster: { file: roster.bin }\nlog: { file: authority.log }\n${more}`,
    );
  }

  async serve(): Promise<Running> {
    await this.configureService();
    const running = this.start('ca', 'serve', '--config', this.at('authority.yaml'));
    const { listening } = JSON.parse(await running.line('{')) as { listening: number };
    this.port = listening;
    await this.configureService();
    return running;
  }

  async startCoordinator(more = ''): Promise<Running> {
    await writeFile(
      this.at('coordinator.yaml'),
      `consortium: north\nstate: state\nlisten: 127.0.0.1:${this.coordinatorPort}\ntls: { bundle: coordinator.tls.pem, ca: ca/ca.pem }\n` +
        `keys: { signing: coordinator.key, storage: storage.key }\nroster: { file: roster.bin }\nlog: { file: coordinator.log }\n${more}`,
    );
    const running = this.start('coordinator', 'run', '--config', this.at('coordinator.yaml'));
    const { listening } = JSON.parse(await running.line('{')) as { listening: number };
    this.coordinatorPort = listening;
    await this.configureService();
    return running;
  }

  async token(silo: string, ...more: string[]): Promise<string> {
    return (await this.ok('ca', 'token', '--silo', silo, '--config', this.at('authority.yaml'), ...more)).stdout.trim();
  }

  enroll(dir: string, token: string, ...more: string[]): Promise<Ended> {
    return this.run('agent', 'enroll', '--dir', this.at(dir), '--token', token, ...more);
  }

  start(program: Program, ...args: string[]): Running {
    const running = startProgram(program, args);
    this.#running.push(running);
    return running;
  }

  run(program: Program, ...args: string[]): Promise<Ended> {
    return endOf(startProgram(program, args), `${program} ${args[0] ?? ''}`);
  }

  /** Throws with what it printed unless it ended well. */
  async ok(program: Program, ...args: string[]): Promise<Ended> {
    const end = await this.run(program, ...args);
    expect(end, `${program} ${args.join(' ')}`).toMatchObject({ code: 0 });
    return end;
  }

  async close(): Promise<void> {
    await stopAll(this.#running);
    await rm(this.folder, { recursive: true, force: true });
  }
}
