// Every method of AdminService from one end to the other.

import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/base/index.js';
import { JobKind, JobState, type WatchRoundsResponse } from '../../../src/wire/index.js';
import type { TlsMaterial } from '../../../src/transport/index.js';
import { admin, gathered, pieces, serve, TestAuthority } from '../../support/transport.js';

const MiB = 1024 * 1024;

let authority: TestAuthority;
let operator: TlsMaterial;
let auditor: TlsMaterial;
beforeAll(async () => {
  authority = await TestAuthority.create();
  operator = await authority.member('operator', 'olga');
  auditor = await authority.member('auditor', 'anna');
});

const job = {
  jobId: 'job-1',
  manifestHash: new Uint8Array(32),
  kind: JobKind.JOB_KIND_UNSPECIFIED,
  state: JobState.JOB_STATE_RUNNING,
  reason: '',
  silos: ['alpha', 'beta'],
  approvedBy: [],
  refusedBy: [],
  roundsDone: 1,
  roundLimit: 5,
  modelHash: new Uint8Array(0),
  createdUnixMs: 1_700_000_000_000n,
  lastResultHash: new Uint8Array(0),
  barred: [],
  openRound: 0,
};

describe('AdminService', () => {
  it('answers, and tells the handler who called in which role', async () => {
    const callers: string[] = [];
    const note = ({ role, id }: { role: string; id: string }): void => {
      callers.push(`${role}/${id}`);
    };
    const server = await serve(authority, {
      admin: {
        createJob: (caller, request) => {
          note(caller);
          return Promise.resolve({ jobId: request.manifest?.signer ?? '', manifestHash: new Uint8Array(32) });
        },
        listJobs: (caller) => {
          note(caller);
          return Promise.resolve({ jobs: [job], nextPageToken: '' });
        },
        listRounds: (caller, request) => {
          note(caller);
          return Promise.resolve({ rounds: [], nextPageToken: `${request.jobId}/${request.pageSize}` });
        },
        getRound: (caller) => {
          note(caller);
          throw new CodedError('admin/no-round', 'there is no such round', { category: 'missing' });
        },
      },
    });
    const [acting, reading] = [admin(server.address, operator), admin(server.address, auditor)];
    const manifest = {
      payload: new Uint8Array(0),
      signer: 'operator/olga',
      signature: new Uint8Array(64),
      type: 'manifest',
    };
    expect((await acting.createJob({ manifest })).jobId).toBe('operator/olga');
    expect((await reading.listJobs({ pageSize: 0, pageToken: '' })).jobs[0]?.silos).toEqual(['alpha', 'beta']);
    expect((await reading.listRounds({ jobId: 'job-1', pageSize: 7, pageToken: '' })).nextPageToken).toBe('job-1/7');
    await expect(acting.getRound({ jobId: 'job-1', round: 9 })).rejects.toMatchObject({
      code: 'admin/no-round',
      category: 'missing',
    });
    await expect(reading.createJob({ manifest })).rejects.toMatchObject({
      code: 'transport/wrong-role',
      category: 'membership',
    });
    expect(callers).toEqual(['operator/olga', 'auditor/anna', 'auditor/anna', 'operator/olga']);
  });

  it('stores an object, and stores it again when the first try broke', async () => {
    const blob = randomBytes(3 * MiB + 5);
    let tries = 0;
    const server = await serve(authority, {
      admin: {
        async putBlob(_caller, chunks) {
          tries += 1;
          const hash = createHash('sha256');
          let size = 0n;
          for await (const chunk of chunks) {
            if (tries === 1 && size > 0n) throw new CodedError('storage/busy', 'later', { category: 'unavailable' });
            hash.update(chunk);
            size += BigInt(chunk.length);
          }
          return { blob: { sha256: hash.digest(), size } };
        },
      },
    });
    const stored = await admin(server.address, operator).putBlob(() => pieces(blob));
    expect(tries).toBe(2);
    expect(stored.blob?.size).toBe(BigInt(blob.length));
    expect(Buffer.from(stored.blob!.sha256).equals(createHash('sha256').update(blob).digest())).toBe(true);
  });

  it('streams the rounds of a job until it ends, or the reader leaves', async () => {
    let left = 0;
    const server = await serve(authority, {
      admin: {
        async *watchRounds(_caller, { jobId }, signal) {
          try {
            for (let n = 1; n <= 3; n++) yield { update: { $case: 'job', value: { ...job, jobId, roundsDone: n } } };
            if (jobId === 'endless')
              await new Promise((resolve) => {
                signal.addEventListener('abort', resolve);
              });
          } finally {
            left += 1;
          }
        },
      },
    });
    const client = admin(server.address, auditor);
    const seen: WatchRoundsResponse[] = [];
    for await (const update of client.watchRounds({ jobId: 'ending' })) seen.push(update);
    expect(seen).toHaveLength(3);
    for await (const _update of client.watchRounds({ jobId: 'endless' })) break;
    await server.close(1000);
    expect(left).toBe(2);
  });

  it('exports a model of any size', async () => {
    const model = randomBytes(2 * MiB + 1);
    const server = await serve(authority, { admin: { exportModel: () => pieces(model) } });
    const exported = await gathered(admin(server.address, auditor).exportModel({ jobId: 'job-1', state: false }));
    expect(exported.equals(model)).toBe(true);
  });
});
