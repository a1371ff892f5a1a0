// What operators do: offer jobs, store models; and the two exports.

import { describe, expect, it } from 'vitest';
import { seal, sumHasher } from '../../../src/protocol/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { decode, JobKind, JobManifest, RoundResult } from '../../../src/wire/index.js';
import { keyFrom, manifestOf, signManifest } from '../../support/memory/founding.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { gathered, pieces } from '../../support/transport.js';
import { ADA, abandoned, completed, OLGA, running, stand } from './states.js';

describe('createJob', () => {
  it('offers a manifest that the calling operator has signed', async () => {
    const { handlers, consortium } = stand(new MemoryConsortium(4));
    const manifest = signManifest(consortium.founded, manifestOf(consortium.founded, { jobId: 'job-2' }));
    const { jobId, manifestHash } = await handlers.createJob(OLGA, { manifest });
    expect(jobId).toBe('job-2');
    expect(manifestHash).toEqual(hash(LABELS.manifest, manifest.payload));
    expect(consortium.coordinator.jobs.size).toBe(2);
    // The same bytes again are the same job.
    await expect(handlers.createJob(OLGA, { manifest })).resolves.toMatchObject({ jobId: 'job-2' });
    expect(consortium.coordinator.jobs.size).toBe(2);
  });

  it('refuses a manifest of another operator, and one of nobody', async () => {
    const { handlers, consortium } = stand(new MemoryConsortium(4));
    const manifest = signManifest(consortium.founded, manifestOf(consortium.founded, { jobId: 'job-2' }));
    await expect(handlers.createJob({ role: 'operator', id: 'otto' }, { manifest })).rejects.toMatchObject({
      code: 'admin/wrong-operator',
      category: 'membership',
      message: 'operator/otto offers a manifest that names "operator/olga" as its signer.',
    });
    await expect(handlers.createJob(OLGA, { manifest: undefined })).rejects.toMatchObject({
      code: 'admin/no-manifest',
      category: 'content',
    });
    expect(consortium.coordinator.jobs.size).toBe(1);
  });

  it('passes on what the state machine refuses', async () => {
    const { handlers, consortium } = stand(new MemoryConsortium(4));
    const { founded } = consortium;
    const changed = signManifest(founded, manifestOf(founded, { description: 'other bytes under one name' }));
    await expect(handlers.createJob(OLGA, { manifest: changed })).rejects.toMatchObject({
      code: 'manifest/repeated-job',
      category: 'state',
    });
    const message = manifestOf(founded, { jobId: 'job-2' });
    const forged = seal(keyFrom('somebody'), 'operator/olga', 'manifest', JobManifest, message);
    await expect(handlers.createJob(OLGA, { manifest: forged })).rejects.toMatchObject({
      code: 'envelope/bad-signature',
    });
  });
});

describe('objects', () => {
  it('are stored under the hash of their bytes', async () => {
    const { handlers, consortium } = stand(new MemoryConsortium(4));
    const { blob } = await handlers.putBlob(OLGA, pieces(Uint8Array.of(1), Uint8Array.of(2, 3)));
    expect(blob?.size).toBe(3n);
    expect(consortium.blobs.get(Buffer.from(blob!.sha256).toString('hex'))).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('exports', () => {
  it('give the opened sum, whose hash the signed result names', async () => {
    const { handlers, consortium } = completed();
    const bytes = await gathered(handlers.exportSum(ADA, { jobId: 'job-1', round: 3 }));
    const { openedHash } = decode(RoundResult, 'result', consortium.job.closed[2]!.result!.envelope.payload);
    expect(sumHasher('opened').update(bytes).digest()).toEqual(openedHash);
  });

  it('refuse the sum of a round that has none', () => {
    const [open, gone] = [running(), abandoned()];
    expect(() => open.handlers.exportSum(ADA, { jobId: 'job-1', round: 2 })).toThrow(
      expect.objectContaining({
        code: 'admin/no-sum',
        category: 'state',
        message: 'round 2 of job "job-1" is still open.',
      }),
    );
    expect(() => gone.handlers.exportSum(ADA, { jobId: 'job-1', round: 1 })).toThrow(
      'round 1 of job "job-1" was abandoned.',
    );
    expect(() => gone.handlers.exportSum(ADA, { jobId: 'job-1', round: 9 })).toThrow('there is no round 9.');
  });

  it('give the model of a job that has one', async () => {
    const { handlers, source } = completed();
    expect(new Uint8Array(await gathered(handlers.exportModel(ADA, { jobId: 'job-1', state: false })))).toEqual(
      source.model,
    );
    const statistics = new MemoryConsortium(4, { manifest: { kind: JobKind.JOB_KIND_STATISTICS, roundLimit: 1 } });
    expect(() => stand(statistics).handlers.exportModel(ADA, { jobId: 'job-1', state: false })).toThrow(
      expect.objectContaining({ code: 'admin/no-model', category: 'state' }),
    );
  });
});
