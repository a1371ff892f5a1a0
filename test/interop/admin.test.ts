// AdminService from another language: Python's grpcio, which learns the messages by server reflection. Skipped where it is not installed
// (Debian: python3-grpcio and python3-protobuf).

import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { adminHandlers } from '../../coordinator/admin/index.js';
import { MemorySource } from '../support/admin-source.js';
import { MemoryConsortium } from '../support/memory/consortium.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { serve, TestAuthority } from '../support/transport.js';

/** Debian's, which has Debian's packages, before any other. */
const PYTHONS = ['/usr/bin/python3', 'python3'];
const python = PYTHONS.find((one) => spawnSync(one, ['-c', 'import grpc, google.protobuf']).status === 0);

describe('a client in Python', () => {
  it.skipIf(python === undefined)('lists, reads, exports, and understands what is refused', async () => {
    const consortium = new MemoryConsortium(4);
    consortium.run();
    const authority = await TestAuthority.create();
    const server = await serve(authority, { admin: adminHandlers(new MemorySource(consortium)) });
    const folder = temporaryFolder();
    const auditor = await authority.member('auditor', 'ada');
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const files = [
      await write('ca.pem', auditor.authorityPem),
      await write('chain.pem', auditor.chainPem),
      await write('key.pem', auditor.privateKeyPem),
    ];
    const address = server.address.replace('127.0.0.1', 'localhost');
    const script = join(import.meta.dirname, 'admin.py');
    const env = { ...process.env, no_grpc_proxy: 'localhost', GRPC_VERBOSITY: 'ERROR' };
    const { stdout } = await promisify(execFile)(python!, [script, address, ...files], { env, timeout: 50_000 });
    expect(JSON.parse(stdout)).toMatchObject({
      services: ['veilsum.v1.AdminService', 'veilsum.v1.SiloService'],
      missing: true,
      alpha: true,
      info: { consortiumId: 'test', silos: 4, jobs: 1 },
      jobs: { jobs: [{ jobId: 'job-1', state: 'JOB_STATE_COMPLETED' }] },
      rounds: [2],
      more: true,
      transcript: Number(consortium.job.closed[0]!.result!.transcript.size),
      refused: {
        status: 'NOT_FOUND',
        message: 'there is no job "no-such-job".',
        code: 'admin/no-job',
        type: 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'ADMIN_NO_JOB',
        domain: 'veilsum',
      },
    });
    // Nothing but the two names that were asked for.
    expect(Object.keys((JSON.parse(stdout) as { jobs: { jobs: object[] } }).jobs.jobs[0]!)).toEqual(['jobId', 'state']);
  });
});
