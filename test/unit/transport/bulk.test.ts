// Uploads and downloads over connections that break, and objects that are not what they should be.

import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CodedError } from '../../../src/base/index.js';
import type { SiloHandlers } from '../../../src/transport/index.js';
import { BadLine } from '../../support/e2e/bad-line.js';
import { relayTo } from '../../support/relay.js';
import { gathered, pieces, serve, silo, TestAuthority } from '../../support/transport.js';

const MiB = 1024 * 1024;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

/** A coordinator that keeps what it got, whole chunk by whole chunk. */
function store(): {
  bytes: () => Buffer;
  offsets: number[];
  handlers: Pick<SiloHandlers, 'uploadMasked' | 'uploadStatus'>;
} {
  const kept: Buffer[] = [];
  const offsets: number[] = [];
  const durableBytes = (): bigint => BigInt(kept.reduce((sum, part) => sum + part.length, 0));
  return {
    bytes: () => Buffer.concat(kept),
    offsets,
    handlers: {
      uploadStatus: () => Promise.resolve({ durableBytes: durableBytes() }),
      async uploadMasked(_caller, target, chunks) {
        offsets.push(Number(target.offset));
        expect(target.offset).toBe(durableBytes());
        for await (const chunk of chunks) kept.push(Buffer.from(chunk));
        return { durableBytes: durableBytes() };
      },
    },
  };
}

describe('an upload', () => {
  it('resumes where the coordinator has it, when the connection is cut', async () => {
    const kept = store();
    const server = await serve(authority, { silo: kept.handlers });
    const relay = await relayTo(server.port);
    const client = silo(relay.address, await authority.member('silo', 'alpha'));
    const vector = randomBytes(24 * MiB);
    let reads = 0;
    relay.cutAfter(9 * MiB);
    await client.upload({
      rid: randomBytes(32),
      attempt: 1,
      totalBytes: vector.length,
      async *read(offset) {
        reads += 1;
        if (reads === 2) relay.cutAfter(5 * MiB);
        for (let at = offset; at < vector.length; at += MiB / 4) {
          yield vector.subarray(at, at + MiB / 4);
          await Promise.resolve();
        }
      },
    });
    expect(kept.bytes().equals(vector)).toBe(true);
    expect(relay.connections()).toBeGreaterThan(2);
    expect(kept.offsets.at(-1)).toBeGreaterThan(0);
  });

  it('goes on over a new connection when half of its own is dead and nobody tells', async () => {
    const kept = store();
    const server = await serve(authority, { silo: kept.handlers });
    const { line, port } = await BadLine.to(() => server.port);
    onTestFinished(() => line.close());
    const limits = { stallMs: 2_000, unaryMs: 2_000 };
    const client = silo(`localhost:${port}`, await authority.member('silo', 'alpha'), { limits });
    const vector = randomBytes(2 * MiB);
    let reads = 0;
    await client.upload({
      rid: randomBytes(32),
      attempt: 1,
      totalBytes: vector.length,
      async *read(offset) {
        reads += 1;
        if (reads === 1) line.forget('up');
        yield await Promise.resolve(vector.subarray(offset));
      },
    });
    expect(kept.bytes().equals(vector)).toBe(true);
    expect(line.connections).toBeGreaterThan(1);
  });

  it('sends nothing when all of it is there already', async () => {
    const server = await serve(authority, { silo: { uploadStatus: () => Promise.resolve({ durableBytes: 10n }) } });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    const read = () => {
      throw new Error('nothing is left to read');
    };
    await client.upload({ rid: randomBytes(32), attempt: 1, totalBytes: 10, read });
    await expect(client.upload({ rid: randomBytes(32), attempt: 1, totalBytes: 9, read })).rejects.toMatchObject({
      code: 'transport/upload-past-end',
    });
  });

  it('does not go on for ever against a coordinator that keeps nothing', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
        uploadMasked: () => {
          calls += 1;
          return Promise.resolve({ durableBytes: 0n });
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'), { limits: { triesMax: 3 } });
    const upload = { rid: randomBytes(32), attempt: 1, totalBytes: 5, read: () => pieces(randomBytes(5)) };
    await expect(client.upload(upload)).rejects.toMatchObject({ code: 'transport/broken' });
    expect(calls).toBe(3);
  });

  it('tells the handler when its sender leaves in the middle', async () => {
    const left: unknown[] = [];
    const leave = new AbortController();
    const server = await serve(authority, {
      silo: {
        uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
        async uploadMasked(_caller, _target, chunks) {
          try {
            for await (const _chunk of chunks) leave.abort();
          } catch (error) {
            left.push(error);
          }
          return { durableBytes: 0n };
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    async function* read() {
      yield randomBytes(1000);
      await new Promise(() => undefined);
    }
    const upload = { rid: randomBytes(32), attempt: 1, totalBytes: 5000, read, signal: leave.signal };
    await expect(client.upload(upload)).rejects.toMatchObject({ code: 'transport/cancelled' });
    await server.close(1000);
    expect(left).toMatchObject([{ code: 'transport/cancelled' }]);
  });
});

describe('a download', () => {
  const blob = randomBytes(5 * MiB + 3);
  const ref = { sha256: createHash('sha256').update(blob).digest(), size: BigInt(blob.length) };

  async function fetched(getBlob: SiloHandlers['getBlob']): Promise<Buffer> {
    const server = await serve(authority, { silo: { getBlob } });
    return gathered(silo(server.address, await authority.member('silo', 'alpha')).getBlob(ref));
  }

  it('resumes where it broke', async () => {
    const offsets: number[] = [];
    const result = await fetched(async function* (_caller, { offset }) {
      offsets.push(Number(offset));
      const from = Number(offset);
      // Two pieces a try.
      yield blob.subarray(from, from + MiB);
      yield blob.subarray(from + MiB, from + 2 * MiB);
      await Promise.resolve();
      if (from + 2 * MiB < blob.length) throw new CodedError('room/restarting', 'later', { category: 'unavailable' });
    });
    expect(result.equals(blob)).toBe(true);
    expect(offsets).toEqual([0, 2 * MiB, 4 * MiB]);
  });

  it('is refused with one bit flipped', async () => {
    const flipped = Buffer.from(blob);
    flipped[4 * MiB]! ^= 1;
    await expect(fetched(() => pieces(flipped))).rejects.toMatchObject({
      code: 'transport/blob-hash',
      category: 'content',
    });
  });

  it('is refused when it is too short', async () => {
    await expect(fetched(() => pieces(blob.subarray(0, -1)))).rejects.toMatchObject({ code: 'transport/blob-size' });
  });

  it('is refused as soon as it is too long', async () => {
    let sent = 0;
    const endless = fetched(async function* () {
      for (; sent < 1000; sent++) {
        yield randomBytes(MiB);
        await Promise.resolve();
      }
    });
    await expect(endless).rejects.toMatchObject({ code: 'transport/blob-size' });
    // Six chunks are one too many; what is beyond lay in buffers, and the window is 16 MiB.
    expect(sent).toBeLessThan(40);
  });

  it('may be empty', async () => {
    const empty = { sha256: createHash('sha256').digest(), size: 0n };
    const server = await serve(authority, { silo: { getBlob: () => pieces() } });
    expect(await gathered(silo(server.address, await authority.member('silo', 'alpha')).getBlob(empty))).toHaveLength(
      0,
    );
  });
});
