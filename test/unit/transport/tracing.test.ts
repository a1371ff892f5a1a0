// Which calls the coordinator traces: those of silos, in rounds. Whoever else sends a traceparent is not told to a collector.

import { beforeAll, expect, it } from 'vitest';
import type { TlsMaterial } from '../../../src/transport/index.js';
import { admin, serve, silo, TestAuthority } from '../../support/transport.js';

const TRACEPARENT = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
const traceparent = (): string => TRACEPARENT;

let alpha: TlsMaterial;
let officers: TlsMaterial[];
let authority: TestAuthority;

beforeAll(async () => {
  authority = await TestAuthority.create();
  alpha = await authority.member('silo', 'alpha');
  officers = [await authority.member('operator', 'olga'), await authority.member('auditor', 'anna')];
});

it('traces the calls of silos from their beginning to their end, and nobody else’s', async () => {
  const begun: string[] = [];
  const ended: string[] = [];
  const server = await serve(authority, {
    silo: { uploadStatus: () => Promise.resolve({ durableBytes: 7n }) },
    admin: { listJobs: () => Promise.resolve({ jobs: [], nextPageToken: '' }) },
    traceCall: (path, peer, given) => {
      begun.push(`${path} ${peer} ${given ?? 'none'}`);
      return () => ended.push(path);
    },
  });
  // Before the silo's call: what they brought about would stand before it.
  for (const officer of officers) await admin(server.address, officer, { traceparent }).listJobs();
  await silo(server.address, alpha, { traceparent }).uploadStatus({ rid: new Uint8Array(32), attempt: 1 });
  await silo(server.address, alpha).uploadStatus({ rid: new Uint8Array(32), attempt: 1 });
  const call = '/veilsum.v1.SiloService/UploadStatus';
  const peer = 'spiffe://north/silo/alpha';
  expect(begun).toEqual([`${call} ${peer} ${TRACEPARENT}`, `${call} ${peer} none`]);
  await server.close(0);
  expect(ended).toEqual([call, call]);
});
