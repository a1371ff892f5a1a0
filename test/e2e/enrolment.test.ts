// From a token to a running agent, with the programs that people run: what enrols, and everything that must not.

import { cp, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, hex, unixMs } from '../../src/base/index.js';
import { SigningKey } from '../../src/crypto/index.js';
import {
  enrol,
  type EnrolmentErrorCode,
  formatToken,
  parseToken,
  tokenHash,
  type Token,
} from '../../src/enrolment/index.js';
import {
  checkRequest,
  createAuthority,
  createRequest,
  inspectCertificate,
  issueForKey,
  openAuthority,
  readBundle,
  readSigningKey,
} from '../../src/pki/index.js';
import { EXIT, systemRng } from '../../src/system/index.js';
import { TokenBook } from '../../certs/service/tokens.js';
import { Enrolling } from '../support/e2e/enrolling.js';
import { eventually, type Running } from '../support/e2e/processes.js';

let house: Enrolling;
let agent: Running;

beforeAll(async () => {
  house = await Enrolling.found();
  await house.serve();
  await house.startCoordinator(
    `authority: { address: "localhost:${house.port}" }\nmetrics: { listen: 127.0.0.1:0 }\nrevoked: ca/revoked.txt\n`,
  );
});

afterAll(() => house.close());

const logOf = (file: string): string => (existsSync(house.at(file)) ? readFileSync(house.at(file), 'utf8') : '');

function otherAuthority() {
  return createAuthority({ consortium: 'north', lifetimeMs: 36_000_000, now: unixMs(Date.now()), rng: systemRng });
}

/** A folder with the same protocol keys, as somebody has it who copied them. */
async function copyOf(silo: string, name: string): Promise<string> {
  await mkdir(house.at(name));
  await cp(house.at(silo, 'secrets'), house.at(name, 'secrets'), { recursive: true });
  for (const file of await readdir(house.at(name, 'secrets')))
    expect((await stat(house.at(name, 'secrets', file))).mode & 0o077, file).toBe(0);
  return name;
}

describe('veilsum-agent enroll', () => {
  it('turns a token into a folder with which the agent runs and reaches the coordinator', async () => {
    const token = await house.token('alpha');
    // As a mail program may deliver it.
    await writeFile(house.at('mail'), `${token.slice(0, 70)}\n  ${token.slice(70)}\n`);
    const end = await house.run('agent', 'enroll', '--dir', house.at('alpha'), '--token-file', house.at('mail'));
    expect(end).toMatchObject({ code: EXIT.ok, stderr: '' });
    expect(end.stdout).toContain('spiffe://north/silo/alpha');
    const config = house.at('alpha', 'agent.yaml');
    const text = await readFile(config, 'utf8');
    await writeFile(config, text.replace('log:\n', 'log:\n  file: ../alpha.log\n'));
    agent = house.start('agent', 'run', '--config', config);
    await eventually('the connection of the agent', () => logOf('coordinator.log').includes('"silo":"alpha"'));
    expect((await stat(house.at('alpha/secrets/alpha.tls.pem'))).mode & 0o777).toBe(0o600);
    expect(existsSync(house.at('alpha/secrets/alpha.tls.pending'))).toBe(false);
  });

  it('leaves no secret of a token at the authority, and no key in its log', async () => {
    const { secret } = parseToken(await house.token('beta'));
    const forms = ['hex', 'base64', 'base64url'].map((form) => Buffer.from(secret).toString(form as BufferEncoding));
    const files = await readdir(house.at('ca'), { recursive: true, withFileTypes: true });
    const hash = Buffer.from(tokenHash(secret)).toString('hex');
    expect(files.some(({ name }) => name === `${hash}.json`)).toBe(true);
    for (const file of files.filter((one) => one.isFile())) {
      const text = await readFile(`${file.parentPath}/${file.name}`, 'latin1');
      for (const form of [...forms, Buffer.from(secret).toString('latin1')]) expect(text).not.toContain(form);
    }
    expect(logOf('authority.log')).not.toMatch(/PRIVATE|secret/);
  });

  it('enrols exactly one of two machines that race with one token', async () => {
    const token = await house.token('gamma');
    const rivals = [await copyOf('gamma', 'rival-1'), await copyOf('gamma', 'rival-2')];
    const ends = await Promise.all(rivals.map((dir) => house.enroll(dir, token)));
    expect(ends.map(({ code }) => code).sort()).toEqual([EXIT.ok, EXIT.refused]);
    const [winner, loser] = ends[0]!.code === EXIT.ok ? [0, 1] : [1, 0];
    expect(ends[loser]!.stderr).toMatch(/^enrolment\/token-used: /);
    expect(existsSync(house.at(rivals[winner]!, 'agent.yaml'))).toBe(true);
    expect(existsSync(house.at(rivals[loser]!, 'agent.yaml'))).toBe(false);
    const issued = (await readFile(house.at('ca/issued.txt'), 'utf8')).split('\n');
    expect(issued.filter((line) => line.includes('/silo/gamma'))).toHaveLength(1);
  });

  it('gives the same machine its answer again when it was lost, and nobody else', async () => {
    const token = await house.token('beta');
    const dir = await copyOf('beta', 'lost-answer');
    expect((await house.enroll(dir, token)).code).toBe(EXIT.ok);
    // What a machine looks like that died before it had written anything but its pending key.
    const again = await copyOf('beta', 'died-early');
    const { privateKeyPem } = await readBundle(house.at(dir, 'secrets/beta.tls.pem'));
    const other = await house.enroll(again, token);
    expect(other.stderr).toMatch(/^enrolment\/token-used: /);
    const pending = house.at(again, 'secrets/beta.tls.pending');
    const request = (await readFile(pending, 'utf8')).replace(/[\s\S]*(?=-----BEGIN CERTIFICATE REQUEST)/, '');
    expect(request).toContain('BEGIN CERTIFICATE REQUEST');
    // The other key with this request is no pair: refused by the certificate that does not come.
    await writeFile(pending, `${privateKeyPem}${request}`);
    expect((await house.enroll(again, token)).code).toBe(EXIT.refused);
  });

  it('is refused in a folder that is enrolled already', async () => {
    const end = await house.enroll('alpha', await house.token('alpha'));
    expect(end.stderr).toMatch(/^system\/exists: .*agent\.yaml/);
  });
});

describe('a token', () => {
  let good: Token;

  beforeAll(async () => {
    good = parseToken(await house.token('beta'));
  });

  /** One attempt with the protocol key of `silo`, as the program makes it. */
  const attempt = async (token: Token, silo = 'beta'): Promise<unknown> => {
    const { seed } = await readSigningKey(house.at(silo, `secrets/${silo}.signing.key`));
    const made = await createRequest('north', { role: 'silo', id: token.id });
    return enrol(token, SigningKey.from(seed), made, { address: token.authority });
  };
  const code = (expected: EnrolmentErrorCode): unknown => expect.objectContaining({ code: expected });

  it('that has expired is refused by this side and by the authority', async () => {
    const text = formatToken({ ...good, expires: unixMs(1) });
    expect((await house.enroll('beta', text)).stderr).toMatch(/^enrolment\/token-expired: /);
    const secret = systemRng.bytes(32);
    await new TokenBook(house.at('ca')).add(secret, { identity: { role: 'silo', id: 'beta' }, expires: unixMs(1) });
    await expect(attempt({ ...good, secret })).rejects.toEqual(code('enrolment/token-expired'));
  });

  it('that this authority did not make is refused', async () => {
    await expect(attempt({ ...good, secret: systemRng.bytes(32) })).rejects.toEqual(code('enrolment/token-unknown'));
  });

  it('of another authority is not even sent', async () => {
    const before = logOf('authority.log');
    const fingerprint = fromHex(inspectCertificate((await otherAuthority()).certificatePem).fingerprint)!;
    await expect(attempt({ ...good, fingerprint })).rejects.toEqual(code('enrolment/other-authority'));
    expect(logOf('authority.log')).toBe(before);
  });

  it('does not help who has it and not the protocol key of its silo, and is not used up by the attempt', async () => {
    const foreign = parseToken(await house.token('gamma'));
    await expect(attempt(foreign, 'beta')).rejects.toEqual(code('enrolment/unproven'));
    await expect(attempt(foreign, 'gamma')).resolves.toBeDefined();
  });

  it('that names another roster is refused', async () => {
    const other = { ...parseToken(await house.token('beta')), rosterHash: new Uint8Array(32) };
    await expect(attempt(other)).rejects.toEqual(code('enrolment/other-roster'));
  });

  it('that lost a character is named as such', () => {
    const text = formatToken(good);
    expect(parseToken(`  ${text.slice(0, 50)}\n${text.slice(50)}`)).toEqual(good);
    for (const damaged of [text.slice(0, -3) + text.slice(-2), 'hello', ''])
      expect(() => parseToken(damaged)).toThrow(code('enrolment/bad-token'));
  });

  it('is not made for longer than a day, for a silo outside the roster, or for a barred one', async () => {
    const make = (...args: string[]) => house.run('ca', 'token', '--config', house.at('authority.yaml'), ...args);
    expect((await make('--silo', 'beta', '--hours', '25')).stderr).toMatch(/^pki\/bad-lifetime: /);
    expect((await make('--silo', 'nobody')).stderr).toMatch(/^enrolment\/not-in-roster: /);
    const early = parseToken(await house.token('gamma'));
    await house.ok('ca', 'bar', '--silo', 'gamma', '--dir', house.at('ca'), '--reason', 'left');
    expect((await make('--silo', 'gamma')).stderr).toMatch(/^enrolment\/barred: /);
    // Nor does one help that was made before.
    await expect(attempt(early, 'gamma')).rejects.toEqual(code('enrolment/barred'));
    const { leafPem } = await readBundle(
      house.at(existsSync(house.at('rival-1/agent.yaml')) ? 'rival-1' : 'rival-2', 'secrets/gamma.tls.pem'),
    );
    expect(await readFile(house.at('ca/revoked.txt'), 'utf8')).toContain(inspectCertificate(leafPem).serial);
    await house.ok('ca', 'readmit', '--silo', 'gamma', '--dir', house.at('ca'));
    expect((await make('--silo', 'gamma')).code).toBe(EXIT.ok);
  });

  it('needs protocol keys that were made before, and prints those that are there as often as it is asked', async () => {
    const again = await house.ok('agent', 'keys', '--silo', 'alpha', '--dir', house.at('alpha'));
    const { publicKey } = await readSigningKey(house.at('alpha/secrets/alpha.signing.key'));
    expect(again.stdout).toContain(`signingKey: "${hex(publicKey)}"`);
    expect(again.stderr).toMatch(/^Unchanged, because it was there: /);
    const end = await house.run('agent', 'enroll', '--dir', house.at('nothing'), '--token', formatToken(good));
    expect(end.stderr).toMatch(/^enrolment\/no-protocol-key: .*veilsum-agent keys/);
  });
});

describe('an external authority', () => {
  it('answers a request with a certificate that is taken, and with another’s that is not', async () => {
    const dir = house.at(await copyOf('beta', 'external'));
    const common = ['--dir', dir, '--silo', 'beta', '--consortium', 'north'];
    await house.ok('agent', 'enroll', ...common, '--csr', house.at('beta.csr'));
    const files = await otherAuthority();
    const authority = await openAuthority(files);
    await writeFile(house.at('external-ca.pem'), files.certificatePem);
    const { publicKey } = await checkRequest(await readFile(house.at('beta.csr'), 'utf8'));
    const issue = (id: string): Promise<string> =>
      issueForKey(authority, publicKey, {
        identity: { role: 'silo', id },
        lifetimeMs: 3_600_000,
        now: unixMs(Date.now()),
        rng: systemRng,
      });
    const take = (chain: string) =>
      house.run(
        'agent',
        ...['enroll', ...common, '--import', chain, '--ca', house.at('external-ca.pem')],
        ...['--roster', house.at('roster.bin'), '--coordinator', 'localhost:8443'],
      );
    await writeFile(house.at('wrong.pem'), await issue('gamma'));
    expect((await take(house.at('wrong.pem'))).stderr).toMatch(/^pki\/other-member: /);
    expect(existsSync(`${dir}/agent.yaml`)).toBe(false);
    // Without its issuer, as many authorities answer.
    await writeFile(house.at('right.pem'), await issue('beta'));
    expect(await take(house.at('right.pem'))).toMatchObject({ code: EXIT.ok, stderr: '' });
    const shown = await house.ok('agent', 'run', '--config', `${dir}/agent.yaml`, '--print-config');
    expect(shown.stdout).toContain('silo: beta');
    expect(shown.stdout).not.toContain('authority:');
  });

  it('has nothing to answer where no request was made', async () => {
    const end = await house.run(
      'agent',
      ...['enroll', '--dir', house.at('beta'), '--silo', 'beta', '--consortium', 'north', '--import', 'x'],
      ...['--ca', 'y', '--roster', 'z', '--coordinator', 'localhost:1'],
    );
    expect(end.stderr).toMatch(/^enrolment\/nothing-pending: /);
  });
});

describe('doctor', () => {
  interface Finding {
    readonly check: string;
    readonly state: string;
    readonly found: string;
    readonly remedy?: string;
  }
  const examine = async (
    program: 'agent' | 'coordinator',
    config: string,
  ): Promise<{ code: number | null; of: (check: string) => Finding | undefined }> => {
    const end = await house.run(program, 'doctor', '--config', config, '--json');
    const findings = JSON.parse(end.stdout) as Finding[];
    expect(findings.filter(({ state, remedy }) => (state === 'ok') !== (remedy === undefined))).toEqual([]);
    return { code: end.code, of: (check) => findings.find((one) => one.check === check) };
  };
  /** The agent's configuration with one thing wrong. */
  const spoilt = async (name: string, change: (text: string) => string): Promise<string> => {
    const text = await readFile(house.at('alpha/agent.yaml'), 'utf8');
    const changed = change(text);
    expect(changed).not.toBe(text);
    const path = house.at('alpha', `${name}.yaml`);
    await writeFile(path, changed);
    return path;
  };

  it('finds an enrolled agent well, but for the data sets that nobody has filled in', async () => {
    const { code, of } = await examine('agent', house.at('alpha/agent.yaml'));
    expect(code).toBe(EXIT.ok);
    for (const check of [
      'roster',
      'role',
      'authorities',
      'certificate',
      'dns',
      'connection',
      'tls',
      'authority',
      'clock',
      'models',
    ])
      expect(of(check), check).toMatchObject({ state: 'ok' });
    expect(of('data')).toMatchObject({ state: 'warning' });
    // Three silos, and the floor that every agent has unless its hospital says otherwise.
    expect(of('policy')).toMatchObject({
      state: 'warning',
      found: expect.stringContaining('the consortium has 3 silos, so no job can run here') as string,
    });
  });

  it('finds the coordinator well while it runs', async () => {
    const { code, of } = await examine('coordinator', house.at('coordinator.yaml'));
    expect(code).toBe(EXIT.ok);
    for (const check of ['roster', 'role', 'certificate', 'authority', 'revoked'])
      expect(of(check), check).toMatchObject({ state: 'ok' });
  });

  it('names each thing that is wrong, and what to do', async () => {
    const config = await spoilt('spoilt', (text) =>
      text
        .replace(/(coordinator:\n {2}address: ).*/, `$1"localhost:${house.port}"`)
        .replace(/hash: "../, 'hash: "00')
        .replace('dataSets: {}', `dataSets: { lost: { query: "SELECT * FROM 'gone.csv'", directories: [gone] } }`),
    );
    const { code, of } = await examine('agent', config);
    expect(code).toBe(EXIT.failed);
    expect(of('roster')).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('roster/wrong-hash') as string,
    });
    // The authority's service answers there: TLS works, and it is not the coordinator.
    expect(of('tls')).toMatchObject({
      state: 'failed',
      remedy: expect.stringContaining('coordinator.address') as string,
    });
    expect(of('data lost')).toMatchObject({ state: 'failed' });
    expect(of('certificate')).toMatchObject({ state: 'ok' });
  });
});

describe('metrics', () => {
  it('are served with health, and say nothing of a silo by name', async () => {
    const started = logOf('coordinator.log')
      .split('\n')
      .find((line) => line.includes('"program.started"'))!;
    const { metrics } = JSON.parse(started) as { metrics: number };
    const base = `http://127.0.0.1:${metrics}`;
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toMatch(/^veilsum_connected_silos\{program="coordinator"\} 1$/m);
    expect(text).toMatch(/^veilsum_events_total\{event="silo.connected",level="info",program="coordinator"\} \d+$/m);
    expect(text).toMatch(/^veilsum_certificate_not_after_seconds\{program="coordinator"\} \d{10}/m);
    for (const silo of ['alpha', 'beta', 'gamma']) expect(text).not.toContain(silo);
    const health = await fetch(`${base}/healthz`);
    expect([health.status, await health.json()]).toMatchObject([200, { ok: true, certificate: 'fresh' }]);
    expect((await fetch(`${base}/`)).status).toBe(404);
  });
});

describe('SIGHUP', () => {
  it('takes the level of the log from the configuration again, and nothing when that is broken', async () => {
    const path = house.at('alpha/agent.yaml');
    const text = await readFile(path, 'utf8');
    const levels = (): string[] =>
      logOf('alpha.log')
        .split('\n')
        .filter((line) => line.includes('log.level-changed'));
    await writeFile(path, text.replace('level: info', 'level: debug'));
    agent.child.kill('SIGHUP');
    await eventually('the new level', () => levels().length === 1);
    expect(levels()[0]).toContain('"level":"warn"');
    await writeFile(path, text.replace('level: info', 'level: loud'));
    agent.child.kill('SIGHUP');
    await eventually('a word about the broken file', () => levels().length === 2);
    expect(levels()[1]).toContain('config/invalid');
    await writeFile(path, text);
    expect(agent.child.exitCode).toBe(null);
  });
});
