// An operator's or auditor's desk: a configuration on disk, a real coordinator's server over a consortium in memory, and commands that
// are run as they would be typed.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminHandlers } from '../../../coordinator/admin/index.js';
import { runProgram } from '../../../auditor/program.js';
import { hex, utf8 } from '../../../src/base/index.js';
import { sha256 } from '../../../src/crypto/index.js';
import { writeBundle } from '../../../src/pki/index.js';
import { type AdminHandlers, connectAdmin } from '../../../src/transport/index.js';
import { MemorySource } from '../../support/admin-source.js';
import type { MemoryConsortium } from '../../support/memory/consortium.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { serve, TestAuthority } from '../../support/transport.js';

/** The consortium of test/support/memory. */
const CONSORTIUM = 'test';

let authority: Promise<TestAuthority> | undefined;
function authorityOnce(): Promise<TestAuthority> {
  authority ??= TestAuthority.create(CONSORTIUM);
  return authority;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Desk {
  readonly folder: string;
  readonly source: MemorySource;
  readonly consortium: MemoryConsortium;
  /** Runs a command; --config is added. */
  readonly run: (...args: string[]) => Promise<Ran>;
  /** The same, and standard output parsed. */
  readonly json: (...args: string[]) => Promise<unknown>;
  /** Where a file of this desk lies. */
  readonly path: (name: string) => string;
  readonly write: (name: string, text: string) => Promise<string>;
}

export interface DeskOptions {
  readonly role?: 'operator' | 'auditor';
  readonly id?: string;
  /** Name of the key file's owner, as in test/support/memory/founding.ts; null for none. */
  readonly key?: string | null;
  /** Replaces methods of the coordinator. */
  readonly admin?: (honest: AdminHandlers) => Partial<AdminHandlers>;
  /** Lines that replace those of the configuration with the same beginning. */
  readonly config?: (text: string) => string;
}

export async function desk(consortium: MemoryConsortium, options: DeskOptions = {}): Promise<Desk> {
  const { role = 'operator', id = 'olga', key = 'operator/olga' } = options;
  const folder = temporaryFolder();
  const path = (name: string): string => join(folder, name);
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(path(name), text, { mode: 0o600 });
    return path(name);
  };
  const source = new MemorySource(consortium);
  const honest = adminHandlers(source);
  const issuer = await authorityOnce();
  const server = await serve(issuer, {
    consortium: CONSORTIUM,
    tls: await issuer.member('coordinator', 'coordinator'),
    admin: { ...honest, ...options.admin?.(honest) },
  });
  const member = await issuer.member(role, id);
  await writeBundle(path('tls.pem'), { certificatePem: member.chainPem, ...member });
  await write('ca.pem', issuer.certificatePem);
  if (key !== null) await write('signing.key', pemOf(key));
  const { rosterBytes, roster } = consortium.founded;
  await writeFile(path('roster.bin'), rosterBytes);
  const text = [
    `consortium: ${CONSORTIUM}`,
    `coordinator: { address: '${server.address}' }`,
    'tls: { bundle: tls.pem, ca: ca.pem }',
    ...(key === null ? [] : ['keys: { signing: signing.key }']),
    `roster: { file: roster.bin, hash: '${hex(roster.hash)}' }`,
    '',
  ].join('\n');
  const config = await write('client.yaml', options.config?.(text) ?? text);
  const run = (...args: string[]): Promise<Ran> => runCommand(['--config', config, ...args]);
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, out, err } = await run('--json', ...args);
    if (code !== 0) throw new Error(`exit ${code}: ${err}`);
    return JSON.parse(out);
  };
  return { folder, source, consortium, run, json, path, write };
}

/** Runs a command line that may need no desk at all. */
export async function runCommand(args: readonly string[], signal = new AbortController().signal): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runProgram(args, {
    terminal: { print: (line) => out.push(line), note: (line) => err.push(line) },
    // Waits between tries give way once and no more: what is tested does not depend on time.
    connect: (options) => connectAdmin({ ...options, sleep: () => new Promise((resolve) => setTimeout(resolve, 5)) }),
    signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

/** PKCS #8 (RFC 8410) of the key that `keyFrom(name)` makes. */
function pemOf(name: string): string {
  const seed = sha256(utf8(`test key ${name}`));
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
}
