// The transparency log through the admin API: what is served fits the roots that silos have cosigned.

import { describe, expect, it } from 'vitest';
import {
  leafHash,
  openCheckpoint,
  logName,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/transcript/index.js';
import { Artefact } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { gathered } from '../../support/transport.js';
import { ADA, completed, stand, type Stand } from './states.js';

function logged(): Stand {
  const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 2 } });
  consortium.run();
  return stand(consortium);
}

describe('the log', () => {
  it('is served with a checkpoint that a quorum has cosigned, every entry, and proofs that hold', async () => {
    const { handlers, consortium } = logged();
    const { note, size, logSize } = await handlers.getCheckpoint(ADA, { jobId: 'job-1' });
    const { roster } = consortium.founded;
    const key = { name: logName(roster.consortiumId), key: roster.logKey! };
    const { checkpoint } = openCheckpoint(note, key);
    expect([checkpoint.size, Number(logSize)]).toEqual([Number(size), consortium.log.length]);
    const entries: Uint8Array[] = [];
    for (let pageToken = ''; ; ) {
      const page = await handlers.listEntries(ADA, { pageSize: 7, pageToken, first: 0n });
      expect(page.entries.map(({ index }) => Number(index))).toEqual(page.entries.map((_, k) => entries.length + k));
      entries.push(...page.entries.map(({ entry }) => entry));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(entries).toEqual(consortium.log);
    const index = entries.length >> 1;
    const proof = await handlers.getInclusionProof(ADA, { index: 3n, size });
    expect(verifyInclusion(leafHash(proof.entry), 3, Number(size), proof.hashes, checkpoint.root)).toBe(true);
    expect(verifyInclusion(leafHash(proof.entry), 4, Number(size), proof.hashes, checkpoint.root)).toBe(false);
    const all = await handlers.getInclusionProof(ADA, { index: BigInt(index), size: 0n });
    expect(Number(all.size)).toBe(entries.length);
    const grown = await handlers.getConsistencyProof(ADA, { from: size, to: 0n });
    expect(verifyConsistency(Number(size), Number(grown.to), grown.hashes, checkpoint.root, grown.toRoot)).toBe(true);
    const last = await handlers.listEntries(ADA, { pageSize: 10, pageToken: '', first: BigInt(entries.length - 2) });
    expect(last.entries.map(({ index: at }) => Number(at))).toEqual([entries.length - 2, entries.length - 1]);
  });

  it('refuses entries that it does not have, and everything where no log is kept', async () => {
    const { handlers } = logged();
    await expect(handlers.getInclusionProof(ADA, { index: 1_000_000n, size: 0n })).rejects.toMatchObject({
      code: 'admin/no-entry',
    });
    await expect(handlers.getConsistencyProof(ADA, { from: 9n, to: 8n })).rejects.toMatchObject({
      code: 'admin/no-entry',
    });
    await expect(handlers.listEntries(ADA, { pageSize: 0, pageToken: '', first: 1_000_000n })).rejects.toMatchObject({
      code: 'admin/no-entry',
    });
    await expect(completed().handlers.getCheckpoint(ADA, { jobId: '' })).rejects.toMatchObject({
      code: 'admin/no-log',
    });
  });
});

describe('inputs of members without a fingerprint', () => {
  it('are named by GetRound and exported', async () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    consortium.hooks = { arrive: (silo, { type }) => !(silo.id === 'silo-002' && type === 'consistency') };
    consortium.run();
    const { handlers } = stand(consortium);
    const { artefacts } = await handlers.getRound(ADA, { jobId: 'job-1', round: 1, fields: [] });
    const named = artefacts.filter(({ artefact }) => artefact === Artefact.ARTEFACT_MISSING_INPUT);
    expect(named).toMatchObject([{ index: 2 }]);
    const asked = { jobId: 'job-1', round: 1, artefact: Artefact.ARTEFACT_MISSING_INPUT };
    expect(BigInt((await gathered(handlers.exportArtefact(ADA, { ...asked, index: 2 }))).length)).toBe(
      named[0]!.blob!.size,
    );
    expect(() => handlers.exportArtefact(ADA, { ...asked, index: 1 })).toThrow(
      expect.objectContaining({ code: 'admin/no-artefact' }),
    );
  });
});
