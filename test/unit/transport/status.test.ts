// What one end throws and the other end catches.

import { beforeAll, describe, expect, it } from 'vitest';
import { CodedError, type ErrorCategory } from '../../../src/base/index.js';
import { serve, type Served, silo, TestAuthority } from '../../support/transport.js';
import type { SiloClient } from '../../../src/transport/index.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

async function throwing(error: unknown): Promise<{ server: Served; client: SiloClient }> {
  const server = await serve(authority, {
    silo: {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- anything can be thrown
      submit: () => Promise.reject(error),
      // eslint-disable-next-line @typescript-eslint/require-await -- fails before its first piece
      async *getBlob() {
        throw error;
      },
      async uploadMasked(_caller, _target, chunks) {
        for await (const _chunk of chunks) throw error;
        throw error;
      },
      uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
    },
  });
  return { server, client: silo(server.address, await authority.member('silo', 'alpha'), { limits: { triesMax: 1 } }) };
}

const BLOB = { sha256: new Uint8Array(32), size: 1n };

async function firstOf(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of source) return;
}

describe('errors across the wire', () => {
  const categories = [
    'state',
    'content',
    'membership',
    'identity',
    'limit',
    'missing',
    'unavailable',
  ] as const satisfies ErrorCategory[];

  for (const category of categories)
    it(`carries code, text and remedy of category ${category}, for every kind of call`, async () => {
      const thrown = new CodedError('room/some-reason', 'round 3 is 100 % closed, “said” naïvely \ud83d\ude00', {
        category,
        remedy: 'Wait for round 4; it’s soon.',
      });
      const { server, client } = await throwing(thrown);
      const expected = { code: thrown.code, category, message: thrown.message, remedy: thrown.remedy };
      await expect(client.submit({ envelope: undefined, ciphertexts: [] })).rejects.toMatchObject(expected);
      await expect(firstOf(client.getBlob(BLOB))).rejects.toMatchObject(expected);
      const megabytes = new Uint8Array(8 * 1024 * 1024);
      async function* read() {
        await Promise.resolve();
        yield megabytes;
      }
      const upload = { rid: new Uint8Array(32), attempt: 1, totalBytes: megabytes.length, read };
      await expect(client.upload(upload)).rejects.toMatchObject(expected);
      expect(server.internalErrors).toEqual([]);
    });

  it('says nothing of internal and unknown errors to the peer, and everything to its own operator', async () => {
    const secret = 'postgres://user:hunter2@db';
    const coded = new CodedError('storage/corrupt', secret, { remedy: secret });
    for (const thrown of [new Error(secret), coded, secret, undefined]) {
      const { server, client } = await throwing(thrown);
      for (const call of [
        () => client.submit({ envelope: undefined, ciphertexts: [] }),
        () => firstOf(client.getBlob(BLOB)),
      ]) {
        const seen: unknown = await call().catch((error: unknown) => error);
        expect(seen).toMatchObject({ code: 'transport/internal', category: 'internal', remedy: undefined });
        expect(JSON.stringify([seen, (seen as Error).message, (seen as Error).stack])).not.toContain('hunter2');
      }
      expect(server.internalErrors).toEqual([thrown, thrown]);
    }
  });

  it('survives text that no header can carry', async () => {
    const text = `half a pair \ud83d and\r\nlines\u0000 ${'x'.repeat(5000)}`;
    const { client } = await throwing(new CodedError('room/odd', text, { category: 'state', remedy: text }));
    const seen: unknown = await client
      .submit({ envelope: undefined, ciphertexts: [] })
      .catch((error: unknown) => error);
    expect(seen).toMatchObject({ code: 'room/odd', category: 'state' });
    expect((seen as CodedError).message).toHaveLength(1000);
  });
});
