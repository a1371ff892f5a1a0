// Callers who are not who they should be, and bytes that are not what they should be, against a coordinator that works for others all
// the time.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asSiloId, type CodedError } from '../../src/base/index.js';
import { SigningKey } from '../../src/crypto/index.js';
import { readBundle, readSigningKey, type Identity } from '../../src/pki/index.js';
import { openManifest, seal, siloSigner } from '../../src/protocol/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectAdmin, connectSilo, type SiloClient, type TlsMaterial } from '../../src/transport/index.js';
import { packedBytes } from '../../src/vector/index.js';
import { Approval, JobState, type Envelope, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { CONSORTIUM, issueBundle, makeAuthority } from '../support/e2e/founding.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { endOf, eventually, startProgram } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { wrongSums } from '../support/e2e/sums.js';
import { logisticRegression } from '../support/onnx-models.js';
import { operateOn } from '../support/onnx-surgery.js';

let consortium: Consortium;
const open: { close(): void }[] = [];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  await consortium.start(consortium.silos.slice(0, 2));
});

afterAll(async () => {
  for (const client of open) client.close();
  await consortium.close();
});

const dialling = () => ({
  address: consortium.address,
  consortium: CONSORTIUM,
  clock: systemClock,
  rng: systemRng,
  limits: { triesMax: 2 },
});

async function tlsOf(id: string): Promise<TlsMaterial> {
  return {
    ...(await readBundle(consortium.founded.at(`${id}.tls.pem`))),
    authorityPem: consortium.founded.authorityPem,
  };
}

function siloClient(tls: TlsMaterial, onBreak?: (error: CodedError) => void): SiloClient {
  const client = connectSilo({
    ...dialling(),
    tls,
    agentVersion: 'test',
    ...(onBreak === undefined ? {} : { onBreak }),
  });
  open.push(client);
  return client;
}

async function issued(identity: Identity): Promise<TlsMaterial> {
  const { authority, authorityPem, at } = consortium.founded;
  await issueBundle(authority, authorityPem, identity, at(`${identity.id}.tls.pem`));
  return tlsOf(identity.id);
}

/** Code of the first break of a watch. */
async function watchBreaksWith(tls: TlsMaterial): Promise<string> {
  const stop = new AbortController();
  let code: string | undefined;
  const client = siloClient(tls, (error) => (code ??= error.code));
  const watching = client.watch(
    () => 0n,
    () => Promise.resolve(),
    stop.signal,
  );
  const found = await eventually('a break of the watch', () => code);
  stop.abort();
  await watching;
  return found;
}

async function approvalOf(signer: string, manifest: Envelope): Promise<Envelope> {
  const { at, roster } = consortium.founded;
  const { seed } = await readSigningKey(at(`${signer}.key`));
  return seal(SigningKey.from(seed), siloSigner(asSiloId(signer)!), 'approval', Approval, {
    siloId: signer,
    manifestHash: openManifest(roster, manifest).hash,
    approved: true,
    note: '',
    atUnixMs: 0n,
  });
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => (error as CodedError).code,
  );

describe('a caller', () => {
  it('with a certificate of another authority gets no connection, keeps trying, and is known to nobody', async () => {
    const { at, folder } = consortium.founded;
    const silo = consortium.silos[2]!;
    const other = await makeAuthority(folder, 'other');
    await issueBundle(other.authority, other.pem, { role: 'silo', id: silo }, at('stranger.tls.pem'));
    await consortium.configureAgent({ silo, name: 'stranger', bundle: 'stranger.tls.pem' });
    const agent = consortium.startAgent('stranger');
    const lost = await eventually('three failures of the stranger', () => {
      const lines = consortium.log('stranger').filter(({ event }) => event === 'connection.lost');
      return lines.length >= 3 && lines;
    });
    expect(lost.every(({ code }) => typeof code === 'string')).toBe(true);
    expect(agent.child.exitCode).toBe(null);
    const seen = consortium.log('coordinator').filter(({ event }) => event === 'silo.connected');
    expect(seen.map((line) => line['silo'])).not.toContain(silo);
    agent.child.kill('SIGTERM');
    expect((await endOf(agent, 'the stranger')).code).toBe(0);
  });

  it('whose certificate names another silo than its key is refused each message', async () => {
    const [one, other] = [consortium.silos[0]!, consortium.silos[2]!];
    const { silos, roster } = consortium.founded;
    const manifest = await consortium.offer(statisticsManifest(statisticsFile('never', silos), roster.hash));
    const client = siloClient(await tlsOf(other));
    const approval = await approvalOf(one, manifest);
    expect(await codeOf(client.submit({ envelope: approval, ciphertexts: [] }))).toBe('envelope/wrong-signer');
    const { job } = await consortium.client.getJob({ jobId: 'never' });
    expect(job!.approvedBy).toEqual([]);
  });

  it('whom the roster does not know gets nothing, whatever its certificate says', async () => {
    const tls = await issued({ role: 'silo', id: 'hospital-x' });
    expect(await watchBreaksWith(tls)).toBe('coordinator/not-a-member');
    const client = siloClient(tls);
    const envelope = {
      payload: new Uint8Array(),
      signer: 'silo/hospital-x',
      signature: new Uint8Array(64),
      type: 'ack',
    };
    expect(await codeOf(client.submit({ envelope, ciphertexts: [] }))).toBe('coordinator/not-a-member');
    expect(await codeOf(client.uploadStatus({ rid: new Uint8Array(32), attempt: 1 }))).toBe('coordinator/not-a-member');
    const seen = consortium.log('coordinator').map((line) => line['silo']);
    expect(seen).not.toContain('hospital-x');
  });

  it('with the certificate of a silo may do nothing that is an operator’s', async () => {
    const client = connectAdmin({ ...dialling(), tls: await tlsOf(consortium.silos[0]!) });
    open.push(client);
    expect(await codeOf(client.listJobs({ pageSize: 0, pageToken: '' }))).toBe('transport/wrong-role');
    expect(await codeOf(client.createJob({ manifest: undefined }))).toBe('transport/wrong-role');
  });
});

describe('a job', () => {
  it('whose model has an unknown operator is refused when it is created, naming operator and node', async () => {
    const { silos, roster } = consortium.founded;
    const good = logisticRegression(RANGES.length);
    const odd = operateOn(good, ({ graph }) => {
      graph.node[0]!.opType = 'Frobnicate';
      graph.node[0]!.name = 'classifier/head';
    });
    await consortium.putBlob(odd);
    const { manifest } = trainingManifest(trainingFile('odd', silos), roster.hash, good);
    const { blob } = await consortium.client.putBlob(async function* () {
      yield await Promise.resolve(odd);
    });
    const refused = consortium.offer({ ...manifest, forwardModel: blob });
    await expect(refused).rejects.toThrow(/Frobnicate/);
    await expect(refused).rejects.toThrow(/classifier\/head/);
    await expect(refused).rejects.toMatchObject({ category: 'content' });
  });

  it('whose layout is not that of its recipe is refused, naming the segment', async () => {
    const { silos, roster } = consortium.founded;
    const model = logisticRegression(RANGES.length);
    await consortium.putBlob(model);
    const { manifest } = trainingManifest(trainingFile('longer', silos), roster.hash, model);
    const [delta, ...rest] = manifest.layout!.segments;
    const layout = { segments: [{ ...delta!, length: delta!.length + 1n }, ...rest] };
    const refused = consortium.offer({ ...manifest, layout });
    await expect(refused).rejects.toMatchObject({ code: 'coordinator/bad-layout' });
    await expect(refused).rejects.toThrow(/delta/);
  });

  it('that was refused does not exist', async () => {
    const { jobs } = await consortium.client.listJobs({ pageSize: 0, pageToken: '' });
    expect(jobs.map(({ jobId }) => jobId)).toEqual(['never']);
  });
});

describe('an upload that is not what was signed', () => {
  let manifest: Envelope;
  let late: string;
  let round: Round;
  let bytes: number;
  let client: SiloClient;

  beforeAll(async () => {
    const { silos, roster } = consortium.founded;
    late = silos[2]!;
    const agent = consortium.startAgent(late, 'silo.before-upload');
    manifest = await consortium.offer(statisticsManifest(statisticsFile('sums', silos), roster.hash));
    await consortium.approve(manifest);
    await endOf(agent, `${late} before its upload`, () => consortium.tail(late));
    round = (await consortium.client.getRound({ jobId: 'sums', round: 1 })).round!;
    const { layout, modulusBits } = openManifest(roster, manifest);
    bytes = packedBytes(layout.length, modulusBits);
    client = siloClient(await tlsOf(late));
  });

  const send = (length: number, from = 0): Promise<unknown> => {
    const { rid, attempt } = round;
    const wrong = randomBytes(length);
    return codeOf(
      client.upload({
        rid,
        attempt,
        totalBytes: length,
        read: async function* (offset) {
          yield await Promise.resolve(wrong.subarray(offset + from));
        },
      }),
    );
  };

  it('is refused when it is longer than the vector', async () => {
    expect(await send(bytes + 1)).toBe('coordinator/upload-too-long');
    expect(await send(4 * bytes + 65_536)).toBe('coordinator/upload-too-long');
    expect(await client.uploadStatus({ rid: round.rid, attempt: round.attempt })).toEqual({ durableBytes: 0n });
  });

  it('is refused for a round or an attempt that is not open', async () => {
    expect(await codeOf(client.uploadStatus({ rid: round.rid, attempt: 2 }))).toBe('coordinator/no-upload');
    expect(await codeOf(client.uploadStatus({ rid: new Uint8Array(32), attempt: 1 }))).toBe('coordinator/no-upload');
  });

  it('of the right length is thrown away when the signed root differs, and the sum is exact in the end', async () => {
    expect(await send(bytes)).toBe('accepted');
    consortium.startAgent(late);
    expect((await consortium.finished('sums')).state).toBe(JobState.JOB_STATE_COMPLETED);
    const [done] = await consortium.acknowledgedRounds('sums');
    expect(done!.survivors).toEqual(consortium.silos);
    expect(done!.attempt).toBe(1);
    expect(await wrongSums(consortium, manifest)).toEqual([]);
    const refused = consortium.log('coordinator').filter(({ code }) => code === 'mask/root-differs');
    expect(refused.map((line) => line['silo'])).toEqual([late]);
  });

  it('left the coordinator serving, without an error of its own', () => {
    const lines = consortium.log('coordinator');
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(lines.filter(({ event }) => event === 'program.started')).toHaveLength(1);
  });
});

describe('an agent', () => {
  it('that the roster does not name does not start', async () => {
    const { at } = consortium.founded;
    const path = await consortium.configureAgent({
      silo: 'hospital-x',
      name: 'unknown',
      key: `${consortium.silos[0]!}.key`,
      bundle: 'hospital-x.tls.pem',
    });
    const end = await endOf(startProgram('agent', ['run', '--config', path]), 'an agent outside the roster');
    expect(end.code).toBe(4);
    expect(end.stderr).toContain('agent/roster-key');
    expect(end.stderr).toContain(at('roster.bin'));
  });
});
