// Malformed files and bytes of operators and peers against their readers (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import { readForwardModel } from '../../../src/model/index.js';
import { hex, unixMs } from '../../../src/base/index.js';
import { identityFromCertificate } from '../../../src/pki/index.js';
import { record } from '../../fuzz/record.js';
import { runTarget } from '../../fuzz/run.js';
import { bulkTarget } from '../../fuzz/targets/bulk.js';
import { certificatesTarget } from '../../fuzz/targets/certificates.js';
import { configTarget } from '../../fuzz/targets/config.js';
import { onnxTarget } from '../../fuzz/targets/onnx.js';
import { offersTarget } from '../../fuzz/targets/offers.js';
import { papersTarget } from '../../fuzz/targets/papers.js';
import { resultTarget } from '../../fuzz/targets/result.js';
import { believesOne, successionTarget } from '../../fuzz/targets/succession.js';
import { storageTarget } from '../../fuzz/targets/storage.js';
import type { verifyVectors } from '../../support/memory/vectors.js';

const SEED = 77;

describe('the model importer', () => {
  it('refuses thousands of changed models with a ModelError, or agrees with itself about them', async () => {
    const { failure, ends } = await runTarget(onnxTarget(), { seed: SEED, inputs: 4000 });
    expect(failure).toBeUndefined();
    for (const code of ['accepted', 'model/not-onnx', 'model/refused']) expect(ends.get(code)).toBeGreaterThan(100);
  });

  it('is found out when it throws something else', async () => {
    const fragile: typeof readForwardModel = (bytes) => {
      const model = readForwardModel(bytes);
      if (model.parameters.length === 1) throw new RangeError('planted');
      return model;
    };
    const { failure } = await runTarget(onnxTarget(fragile), { seed: SEED, inputs: 4000 });
    expect(String(failure?.error)).toContain('RangeError: planted');
  });
});

describe('the readers of other files and frames', () => {
  const runs = [
    ['rosters, manifests and their parts', () => papersTarget(), 1200, 5],
    ['rosters that follow one another', () => successionTarget(), 250, 6],
    ['offers and decisions in the state folder', () => offersTarget(), 1500, 2],
    ['configuration files', () => configTarget(), 500, 3],
    ['certificates, bundles, requests and revocation lists', () => certificatesTarget(), 2500, 8],
    ['sealed files and blobs', () => storageTarget(), 2500, 3],
    ['frames of uploads and downloads', () => bulkTarget(), 4000, 2],
    ['results with their transcripts and vectors', () => resultTarget(), 500, 12],
  ] as const;
  it.each(runs)('refuse malformed %s by code', async (_what, create, inputs, ends) => {
    const target = await create();
    const report = await runTarget(target, { seed: SEED, inputs });
    await target.close?.();
    expect(report.failure).toBeUndefined();
    // It is of no use when everything is refused at the first check.
    expect(report.ends.size).toBeGreaterThanOrEqual(ends);
    expect(report.ends.get('accepted')).toBeGreaterThan(0);
  });

  it('are found out when one signature puts a roster in force', async () => {
    const { failure } = await runTarget(successionTarget(believesOne), { seed: SEED, inputs: 200 });
    expect(String(failure?.error)).toContain('too few signatures');
  });

  it('are found out when a wrong sum is taken for the right one', async () => {
    const recording = record();
    const careless: typeof verifyVectors = (result, fetch) => fetch(`opened ${hex(result.openedHash)}`);
    const { failure } = await runTarget(resultTarget(recording, careless), { seed: SEED, inputs: 800 });
    expect(String(failure?.error)).toContain('a wrong sum was accepted');
  });

  it('are found out when a certificate is taken for somebody it does not spell', async () => {
    const lenient: typeof identityFromCertificate = (der, consortium, now) => {
      const read = identityFromCertificate(der, consortium, now);
      return read.ok || read.error.code !== 'pki/not-spiffe' ? read : identityFromCertificateFolded();
    };
    const { failure } = await runTarget(await certificatesTarget(lenient), { seed: SEED, inputs: 2500 });
    expect(String(failure?.error)).toContain('was taken for');
  });
});

/** As if upper and lower case were one. */
function identityFromCertificateFolded(): ReturnType<typeof identityFromCertificate> {
  const uri = 'SPIFFE://north/silo/silo-a';
  const now = unixMs(0);
  return {
    ok: true,
    value: { role: 'silo', id: 'silo-a', uri, serial: '1', notBefore: now, notAfter: now, fingerprint: '' },
  };
}
