// The program as people run it: real processes, real files.

import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hex, unixMs } from '../../../src/base/index.js';
import { identityFromCertificate, inspectCertificate, readBundle, readSigningKey } from '../../../src/pki/index.js';
import { EXIT } from '../../../src/system/index.js';
import type { Ended } from '../../support/built-program.js';
import { built, startNode } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { derOf } from '../pki/authority-fixture.js';

const program = built('certs/main.ts');
const run = (...args: string[]): Promise<Ended> => startNode([program, ...args]).ended;

async function authority(): Promise<{ folder: string; dir: string }> {
  const folder = temporaryFolder();
  const dir = join(folder, 'ca');
  expect(await run('init', '--consortium', 'north', '--dir', dir)).toMatchObject({ code: EXIT.ok, stderr: '' });
  return { folder, dir };
}

describe('veilsum-ca init', () => {
  it('makes an authority whose key is for its owner alone, and prints no key', async () => {
    const folder = temporaryFolder();
    const end = await run('init', '--consortium', 'north', '--dir', join(folder, 'ca'), '--days', '10');
    expect(end.code).toBe(EXIT.ok);
    expect(end.stdout).not.toContain('PRIVATE');
    expect(statSync(join(folder, 'ca/ca.key')).mode & 0o777).toBe(0o600);
    const facts = inspectCertificate(readFileSync(join(folder, 'ca/ca.pem'), 'utf8'));
    expect(end.stdout).toContain(facts.fingerprint);
    expect(facts).toMatchObject({ authority: true, consortium: 'north' });
  });

  it('keeps an authority that is already there, unless forced', async () => {
    const { dir } = await authority();
    const before = readFileSync(join(dir, 'ca.key'), 'utf8');
    const end = await run('init', '--consortium', 'north', '--dir', dir);
    expect(end.code).toBe(EXIT.usage);
    expect(end.stderr).toMatch(/^pki\/authority-exists: .*--force/);
    expect(readFileSync(join(dir, 'ca.key'), 'utf8')).toBe(before);
    expect((await run('init', '--consortium', 'north', '--dir', dir, '--force')).code).toBe(EXIT.ok);
    expect(readFileSync(join(dir, 'ca.key'), 'utf8')).not.toBe(before);
  });

  it.each([
    ['a bad name', ['--consortium', 'North!', '--dir', 'DIR']],
    ['a bad number of days', ['--consortium', 'north', '--dir', 'DIR', '--days', '1.5']],
    ['no folder', ['--consortium', 'north']],
    ['an unknown option', ['--consortium', 'north', '--dir', 'DIR', '--dayz', '3']],
  ])('refuses %s as a usage error', async (_what, args) => {
    const dir = join(temporaryFolder(), 'ca');
    const end = await run('init', ...args.map((arg) => (arg === 'DIR' ? dir : arg)));
    expect(end.code).toBe(EXIT.usage);
    expect(end.stderr).not.toBe('');
    expect(existsSync(dir)).toBe(false);
  });
});

describe('veilsum-ca issue', () => {
  it('writes a bundle that the programs read, and notes it', async () => {
    const { folder, dir } = await authority();
    const out = join(folder, 'alpha.pem');
    const end = await run('issue', '--role', 'silo', '--id', 'alpha', '--dir', dir, '--out', out, '--hours', '2');
    expect(end).toMatchObject({ code: EXIT.ok, stderr: '' });
    const bundle = await readBundle(out);
    const found = identityFromCertificate(derOf(bundle.leafPem), 'north', unixMs(Date.now()));
    expect(found).toMatchObject({ ok: true, value: { role: 'silo', id: 'alpha' } });
    const { serial } = inspectCertificate(bundle.leafPem);
    expect(end.stdout).toContain(serial);
    expect(readFileSync(join(dir, 'issued.txt'), 'utf8')).toContain(`${serial}\t`);
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  it('gives the coordinator its hosts', async () => {
    const { folder, dir } = await authority();
    const out = join(folder, 'c.pem');
    const hosts = ['--dns', 'localhost', 'c.example', '--ip', '127.0.0.1'];
    expect((await run('issue', '--role', 'coordinator', ...hosts, '--dir', dir, '--out', out)).code).toBe(EXIT.ok);
    expect(inspectCertificate((await readBundle(out)).leafPem).names).toEqual([
      'URI:spiffe://north/coordinator',
      'DNS:localhost',
      'DNS:c.example',
      'IP:127.0.0.1',
    ]);
  });

  it('signs nothing when the file is already there', async () => {
    const { folder, dir } = await authority();
    const out = join(folder, 'alpha.pem');
    writeFileSync(out, 'mine');
    const end = await run('issue', '--role', 'silo', '--id', 'alpha', '--dir', dir, '--out', out);
    expect(end.code).toBe(EXIT.usage);
    expect(end.stderr).toMatch(/^system\/exists: /);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect(existsSync(join(dir, 'issued.txt'))).toBe(false);
  });

  it.each([
    ['a silo without a name', ['--role', 'silo'], EXIT.usage, 'pki/bad-name'],
    ['a silo with a host', ['--role', 'silo', '--id', 'a', '--dns', 'x.example'], EXIT.usage, 'pki/bad-host'],
    ['a coordinator without hosts', ['--role', 'coordinator'], EXIT.usage, 'pki/bad-host'],
    ['a coordinator of another name', ['--role', 'coordinator', '--id', 'b', '--dns', 'x'], EXIT.usage, 'pki/bad-name'],
    ['an unknown role', ['--role', 'king', '--id', 'a'], EXIT.usage, 'king'],
    ['days and hours', ['--role', 'silo', '--id', 'a', '--days', '1', '--hours', '2'], EXIT.usage, '--hours'],
    [
      'a lifetime beyond the authority’s',
      ['--role', 'silo', '--id', 'a', '--days', '9999'],
      EXIT.usage,
      'pki/bad-lifetime',
    ],
  ])('refuses %s', async (_what, args, code, text) => {
    const { folder, dir } = await authority();
    const end = await run('issue', ...args, '--dir', dir, '--out', join(folder, 'x.pem'));
    expect(end.code).toBe(code);
    expect(end.stderr).toContain(text);
    expect(existsSync(join(folder, 'x.pem'))).toBe(false);
  });

  it('refuses an authority’s key that others can read, and a folder that holds none', async () => {
    const { folder, dir } = await authority();
    chmodSync(join(dir, 'ca.key'), 0o644);
    const args = ['issue', '--role', 'silo', '--id', 'a', '--out', join(folder, 'x.pem'), '--dir'];
    const exposed = await run(...args, dir);
    expect(exposed.code).toBe(EXIT.failed);
    expect(exposed.stderr).toMatch(/^system\/secret-exposed: .*chmod 600/);
    expect(await run(...args, join(folder, 'none'))).toMatchObject({ code: EXIT.usage });
  });
});

describe('a certificate whose key stays with the member', () => {
  it('goes from request to issue to bundle', async () => {
    const { folder, dir } = await authority();
    const at = (name: string): string => join(folder, name);
    const request = ['request', '--consortium', 'north', '--role', 'silo', '--id', 'alpha'];
    expect((await run(...request, '--key', at('key'), '--out', at('csr'))).code).toBe(EXIT.ok);
    expect(statSync(at('key')).mode & 0o777).toBe(0o600);
    const issue = ['issue', '--role', 'silo', '--dir', dir, '--csr', at('csr')];
    const wrong = await run(...issue, '--id', 'beta', '--out', at('chain'));
    expect(wrong).toMatchObject({ code: EXIT.failed });
    expect(wrong.stderr).toContain('pki/request-unproven');
    expect((await run(...issue, '--id', 'alpha', '--out', at('chain'))).code).toBe(EXIT.ok);
    expect(readFileSync(at('chain'), 'utf8')).not.toContain('PRIVATE');
    const bundle = ['bundle', '--chain', at('chain'), '--out', at('alpha.pem'), '--key'];
    expect((await run(...bundle, at('key'))).code).toBe(EXIT.ok);
    expect(inspectCertificate((await readBundle(at('alpha.pem'))).leafPem).identity).toEqual({
      role: 'silo',
      id: 'alpha',
    });
    await run(...request, '--key', at('key2'), '--out', at('csr2'));
    expect((await run(...bundle, at('key2'), '--force')).stderr).toMatch(/^pki\/key-mismatch: /);
  });

  it('is refused for a request that was tampered with', async () => {
    const { folder, dir } = await authority();
    const at = (name: string): string => join(folder, name);
    await run(
      'request',
      '--consortium',
      'north',
      '--role',
      'silo',
      '--id',
      'alpha',
      '--key',
      at('key'),
      '--out',
      at('csr'),
    );
    const lines = readFileSync(at('csr'), 'utf8').trim().split('\n');
    const body = Buffer.from(lines.slice(1, -1).join(''), 'base64');
    body[body.length - 1]! ^= 1;
    writeFileSync(at('csr'), [lines[0], body.toString('base64'), lines.at(-1)].join('\n'));
    const end = await run(
      'issue',
      '--role',
      'silo',
      '--id',
      'alpha',
      '--csr',
      at('csr'),
      '--dir',
      dir,
      '--out',
      at('chain'),
    );
    expect(end.code).toBe(EXIT.failed);
    expect(end.stderr).toMatch(/^pki\/request-unproven: /);
  });
});

describe('veilsum-ca keygen', () => {
  it('prints the public key and keeps the private one to a 0600 file that it will not overwrite', async () => {
    // As the documents write it, in a folder that nobody has made.
    const out = join(temporaryFolder(), 'secrets', 'signing.pem');
    const end = await run('keygen', '--out', out);
    const { publicKey, seed } = await readSigningKey(out);
    expect(end).toMatchObject({ code: EXIT.ok, stdout: `${hex(publicKey)}\n`, stderr: '' });
    expect(end.stdout).not.toContain(hex(seed.reveal()));
    expect((await run('keygen', '--out', out)).code).toBe(EXIT.usage);
    expect((await readSigningKey(out)).publicKey).toEqual(publicKey);
    expect((await run('keygen', '--out', out, '--force')).code).toBe(EXIT.ok);
    expect((await readSigningKey(out)).publicKey).not.toEqual(publicKey);
  });
});

describe('veilsum-ca inspect and revoke', () => {
  it('describes every certificate of a bundle for a person and for a script, and never its key', async () => {
    const { folder, dir } = await authority();
    const out = join(folder, 'ada.pem');
    await run('issue', '--role', 'operator', '--id', 'ada', '--dir', dir, '--out', out, '--days', '5');
    const text = (await run('inspect', out)).stdout;
    expect(text).toContain('operator ada of north');
    expect(text).toContain('authority of north');
    expect(text).toMatch(/4 days left|5 days left/);
    expect(text).not.toContain('PRIVATE');
    const json = JSON.parse((await run('inspect', out, '--json')).stdout) as readonly Record<string, unknown>[];
    expect(json).toHaveLength(2);
    expect(json[0]).toMatchObject({ identity: { role: 'operator', id: 'ada' }, usages: ['client'], authority: false });
    const serial = String(json[0]!['serial']);
    expect((await run('revoke', '--serial', serial, '--dir', dir, '--reason', 'left')).code).toBe(EXIT.ok);
    expect(readFileSync(join(dir, 'revoked.txt'), 'utf8')).toMatch(new RegExp(`^${serial}  # .* left$`, 'm'));
    expect((await run('revoke', '--serial', 'zzz', '--dir', dir)).stderr).toMatch(/^pki\/bad-revocation-list: /);
  });

  it('says what is wrong with a file that is missing, is a folder, or holds no certificate', async () => {
    const folder = temporaryFolder();
    expect(await run('inspect', join(folder, 'none'))).toMatchObject({ code: EXIT.usage });
    mkdirSync(join(folder, 'd'));
    expect((await run('inspect', join(folder, 'd'))).stderr).toMatch(/^system\/io: /);
    writeFileSync(join(folder, 'text'), 'hello');
    expect((await run('inspect', join(folder, 'text'))).stderr).toMatch(/^pki\/unreadable: /);
  });

  it('prints help and ends well', async () => {
    const end = await run('--help');
    expect(end.code).toBe(EXIT.ok);
    expect(end.stdout).toContain('keygen');
  });
});
