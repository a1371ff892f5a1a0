// Every method of SiloService from one end to the other.

import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Directive } from '../../../src/wire/index.js';
import { gathered, serve, silo, pieces, TestAuthority } from '../../support/transport.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

const abandoned = (sequence: bigint): Directive => ({
  sequence,
  body: { $case: 'jobClosed', value: { jobId: 'job-1', reason: `number ${sequence}`, order: undefined } },
});

describe('SiloService', () => {
  it('submits, and tells the handler who called', async () => {
    const server = await serve(authority, {
      silo: {
        submit: (caller, request) =>
          Promise.resolve({
            receipt: {
              payload: request.ciphertexts[0]!,
              signer: `silo/${caller}`,
              signature: new Uint8Array(64),
              type: 'receipt',
            },
          }),
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    const answer = await client.submit({ envelope: undefined, ciphertexts: [Uint8Array.of(1, 2, 3)] });
    expect(answer.receipt?.signer).toBe('silo/alpha');
    expect([...(answer.receipt?.payload ?? [])]).toEqual([1, 2, 3]);
  });

  it('proves of the log what was asked', async () => {
    const proofs = (from: bigint, to: bigint): Uint8Array[] => [Uint8Array.of(Number(from)), Uint8Array.of(Number(to))];
    const server = await serve(authority, {
      silo: { proveLog: (_caller, { from, to }) => Promise.resolve({ hashes: proofs(from, to) }) },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    expect((await client.proveLog(6, 7)).map((hash) => [...hash])).toEqual([[6], [7]]);
  });

  it('hands on directives one after another, from the cursor', async () => {
    const server = await serve(authority, {
      silo: {
        async *watch(_caller, request, signal) {
          for (let n = request.cursor + 1n; n <= request.cursor + 5n; n++) yield abandoned(n);
          await new Promise((resolve) => {
            signal.addEventListener('abort', resolve);
          });
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    const leave = new AbortController();
    const seen: bigint[] = [];
    let inside = 0;
    await client.watch(
      () => 7n,
      async (directive) => {
        inside += 1;
        expect(inside).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(directive.sequence);
        inside -= 1;
        if (seen.length === 5) leave.abort();
      },
      leave.signal,
    );
    expect(seen).toEqual([8n, 9n, 10n, 11n, 12n]);
  });

  it('uploads in chunks of at most 1 MiB', async () => {
    const vector = randomBytes(3 * 1024 * 1024 + 17);
    const stored: Buffer[] = [];
    const sizes: number[] = [];
    const server = await serve(authority, {
      silo: {
        uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
        async uploadMasked(_caller, target, chunks) {
          expect(target.offset).toBe(0n);
          for await (const chunk of chunks) {
            sizes.push(chunk.length);
            stored.push(Buffer.from(chunk));
          }
          return { durableBytes: BigInt(Buffer.concat(stored).length) };
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    await client.upload({ rid: randomBytes(32), attempt: 1, totalBytes: vector.length, read: () => pieces(vector) });
    expect(Buffer.concat(stored).equals(vector)).toBe(true);
    expect(sizes).toEqual([1024 * 1024, 1024 * 1024, 1024 * 1024, 17]);
  });

  it('fetches an object by its hash', async () => {
    const blob = randomBytes(2_500_000);
    const server = await serve(authority, {
      silo: { getBlob: (_caller, request) => pieces(blob.subarray(Number(request.offset))) },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    const ref = { sha256: createHash('sha256').update(blob).digest(), size: BigInt(blob.length) };
    expect((await gathered(client.getBlob(ref))).equals(blob)).toBe(true);
  });
});
