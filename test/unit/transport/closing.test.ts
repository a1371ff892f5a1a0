// A connection that takes no new call finishes those it carries, however many keepalives pass meanwhile.

import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SiloHandlers, TlsMaterial } from '../../../src/transport/index.js';
import { pieces, serve, silo, TestAuthority, until } from '../../support/transport.js';

const KEEPALIVE_MS = 20;
const QUICK = { keepaliveMs: KEEPALIVE_MS, keepaliveTimeoutMs: 5_000 };
/** Time for several keepalives of both ends. */
const A_WHILE_MS = 15 * KEEPALIVE_MS;
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, A_WHILE_MS));

let authority: TestAuthority;
let alpha: TlsMaterial;
beforeAll(async () => {
  authority = await TestAuthority.create();
  alpha = await authority.member('silo', 'alpha');
});

/** An upload that a connection has to carry while `during` happens to it; resolves with how often it was begun. */
async function uploadsWhile(
  limits: Readonly<Record<string, number>>,
  during: (client: ReturnType<typeof silo>) => Promise<void>,
): Promise<number> {
  let begun = 0;
  let stored = 0;
  const uploadMasked: SiloHandlers['uploadMasked'] = async (_caller, _target, chunks) => {
    begun++;
    for await (const chunk of chunks) stored += chunk.length;
    return { durableBytes: BigInt(stored) };
  };
  const uploadStatus = () => Promise.resolve({ durableBytes: BigInt(stored) });
  const server = await serve(authority, {
    silo: { uploadMasked, uploadStatus },
    limits: { ...QUICK, ...limits },
  });
  const client = silo(server.address, alpha, { limits: QUICK });
  const vector = randomBytes(2048);
  await client.upload({
    rid: randomBytes(32),
    attempt: 1,
    totalBytes: vector.length,
    async *read(offset) {
      yield* pieces(vector.subarray(offset, 1024));
      await until(() => stored >= 1024);
      await during(client);
      yield vector.subarray(1024);
    },
  });
  expect(stored).toBe(vector.length);
  return begun;
}

describe('an upload', () => {
  it('is finished on its connection after the certificate of its silo was replaced', async () => {
    const renewed = await authority.member('silo', 'alpha');
    const begun = await uploadsWhile({}, async (client) => {
      client.replaceCertificate(renewed);
      await aWhile();
    });
    expect(begun).toBe(1);
  });

  it('is finished on its connection after that has had its time', async () => {
    expect(await uploadsWhile({ connectionAgeMs: 30, connectionAgeGraceMs: 60_000 }, aWhile)).toBe(1);
  });
});
