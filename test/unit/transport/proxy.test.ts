// Behind a hospital's firewall: through an HTTP proxy, with and without credentials, and what is said when it does not let us through.

import { describe, expect, it } from 'vitest';
import { openSocket, readProxy } from '../../../src/network/index.js';
import type { Directive } from '../../../src/wire/index.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectProxy } from '../../support/connect-proxy.js';
import { relayTo } from '../../support/relay.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { serve, silo, TestAuthority, until } from '../../support/transport.js';

const authority = await TestAuthority.create();
const member = await authority.member('silo', 'alpha');
const CREDENTIALS = 'hospital:s3cret:with colon';
const receipt = { receipt: undefined };

async function coordinator(): Promise<string> {
  // A balancer that passes TLS through stands in front of it.
  const { port } = await serve(authority, {
    silo: {
      submit: () => Promise.resolve(receipt),
      watch: async function* (_caller, _request, signal) {
        yield { sequence: 1n, body: { $case: 'heartbeat', value: { protocolVersion: 1 } } } satisfies Directive;
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      },
    },
  });
  return (await relayTo(port)).address.replace('127.0.0.1', 'localhost');
}

const SUBMIT = { envelope: undefined, ciphertexts: [] };
const FEW = { limits: { triesMax: 2 } };

describe('an agent behind a proxy', () => {
  it.each([
    ['that asks for nothing', undefined],
    ['that wants credentials', CREDENTIALS],
  ])('%s reaches the coordinator, by TLS from end to end', async (_what, credentials) => {
    const address = await coordinator();
    const proxy = await connectProxy(credentials === undefined ? {} : { credentials });
    const client = silo(address, member, { proxy: { address: proxy.address, credentials } });
    await expect(client.submit(SUBMIT)).resolves.toEqual(receipt);
    expect(proxy.asked).toEqual([address]);
  });

  it('comes back for ever when the proxy cuts its connections', async () => {
    const address = await coordinator();
    const proxy = await connectProxy();
    const breaks: string[] = [];
    const client = silo(address, member, {
      proxy: { address: proxy.address },
      onBreak: ({ code }) => breaks.push(code),
    });
    const over = new AbortController();
    const watching = client.watch(
      () => 0n,
      () => Promise.resolve(),
      over.signal,
    );
    for (let round = 1; round <= 3; round++) {
      await until(() => proxy.asked.length >= round);
      await new Promise((resolve) => setTimeout(resolve, 50));
      proxy.cut();
      await until(() => breaks.length >= round);
    }
    over.abort();
    await watching;
  });

  it.each([
    ['wrong credentials', { credentials: 'other:one' }],
    ['a proxy that forbids it', { status: 403 }],
  ])('says that there is no connection, and no secret, on %s', async (_what, options) => {
    const proxy = await connectProxy(options);
    const client = silo(await coordinator(), member, {
      proxy: { address: proxy.address, credentials: CREDENTIALS },
      ...FEW,
    });
    const refused: unknown = await client.submit(SUBMIT).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'transport/unreachable' });
    expect(String(refused)).not.toContain('s3cret');
    expect(JSON.stringify(refused)).not.toContain(Buffer.from(CREDENTIALS).toString('base64'));
  });

  it('does not obey the environment', async () => {
    const address = await coordinator();
    const proxy = await connectProxy();
    const before = { ...process.env };
    try {
      process.env['https_proxy'] = process.env['grpc_proxy'] = `http://${proxy.address}`;
      delete process.env['no_grpc_proxy'];
      await expect(silo(address, member).submit(SUBMIT)).resolves.toEqual(receipt);
    } finally {
      Object.assign(process.env, before);
      delete process.env['https_proxy'];
      delete process.env['grpc_proxy'];
    }
    expect(proxy.asked).toEqual([]);
  });
});

describe('a tunnel', () => {
  const address = 'localhost:1';
  it.each([
    ['wants other credentials', { credentials: 'a:b' }, 'network/proxy-credentials'],
    ['forbids it', { status: 403 }, 'network/proxy-refused'],
  ])('is refused with its own code when the proxy %s', async (_what, options, code) => {
    const proxy = await connectProxy(options);
    const asking = openSocket({
      address,
      proxy: { address: proxy.address, credentials: CREDENTIALS },
      timeoutMs: 9000,
    });
    const refused: unknown = await asking.catch((error: unknown) => error);
    expect(refused).toMatchObject({ code });
    expect(String(refused)).not.toContain('s3cret');
  });

  it('names what could not be found', async () => {
    const open = (more: object): Promise<unknown> => openSocket({ address, timeoutMs: 9000, ...more });
    await expect(open({})).rejects.toMatchObject({ code: 'network/unreachable' });
    await expect(open({ address: 'nowhere.invalid:1' })).rejects.toMatchObject({ code: 'network/unknown-host' });
    await expect(open({ proxy: { address } })).rejects.toMatchObject({ code: 'network/proxy-unreachable' });
  });

  it('takes its credentials from a file that only its owner can read', async () => {
    const path = join(temporaryFolder(), 'proxy');
    writeFileSync(path, `${CREDENTIALS}\n`, { mode: 0o644 });
    const fields = { address, credentials: path };
    await expect(readProxy(fields)).rejects.toMatchObject({ code: 'system/secret-exposed' });
    writeFileSync(`${path}2`, `${CREDENTIALS}\n`, { mode: 0o600 });
    expect(await readProxy({ address, credentials: `${path}2` })).toEqual({ address, credentials: CREDENTIALS });
    writeFileSync(`${path}3`, 'nocolon\n', { mode: 0o600 });
    await expect(readProxy({ address, credentials: `${path}3` })).rejects.toMatchObject({
      code: 'network/proxy-credentials',
    });
  });
});
