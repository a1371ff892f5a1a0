// veilsum-audit export: a whole file or none, and with --verify only what the silos have acknowledged.

import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hex } from '../../../src/base/index.js';
import { readJobFile } from '../../../src/config/index.js';
import { hash, LABELS, sha256 } from '../../../src/crypto/index.js';
import { buildManifest, encodeModelState, firstModel, type FirstModel } from '../../../src/job/index.js';
import { withParameters } from '../../../src/model/index.js';
import { seal, siloSigner } from '../../../src/protocol/index.js';
import type { AdminHandlers } from '../../../src/transport/index.js';
import { Ack, Coverage, decode, RoundResult, type GetRoundResponse } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { found, type Founded } from '../../support/memory/founding.js';
import { completed } from '../admin/states.js';
import { desk, type Desk } from './desk.js';
import { HEART_MODEL, SILOS, trainingFile } from './heart.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const AUDITOR = { role: 'auditor', id: 'ada', key: null } as const;

describe('export', () => {
  it('writes the model whole and prints its hash', async () => {
    const at = await desk(completed().consortium, AUDITOR);
    const out = at.path('model.onnx');
    const said = await at.json('export', 'job-1', '--out', out);
    expect(new Uint8Array(await readFile(out))).toEqual(at.source.model);
    expect(said).toEqual({
      job: 'job-1',
      file: out,
      bytes: 3,
      sha256: hex(sha256(at.source.model)),
      verified: null,
      local: [],
    });
    const { out: text } = await at.run('export', 'job-1', '--out', at.path('again.onnx'));
    expect(text).toContain(hex(sha256(at.source.model)));
    expect(text).toContain('verified      no: with --verify');
    expect(text).not.toContain('local');
  });

  it('says which parameters of the file are nobody’s, because each hospital has its own', async () => {
    const consortium = new MemoryConsortium(SILOS, { manifest: { local: ['head.*'] } });
    consortium.run();
    const at = await desk(consortium, AUDITOR);
    expect(await at.json('export', 'job-1', '--out', at.path('model.onnx'))).toMatchObject({ local: ['head.*'] });
    const { out: text } = await at.run('export', 'job-1', '--out', at.path('again.onnx'));
    expect(text).toContain('head.*: as the job began; each hospital has its own, which it keeps');
  });

  it('replaces a file only with --force', async () => {
    const at = await desk(completed().consortium, AUDITOR);
    const out = await at.write('model.onnx', 'older');
    const refused = await at.run('export', 'job-1', '--out', out);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('system/exists')]);
    expect(await readFile(out, 'utf8')).toBe('older');
    expect((await at.run('export', 'job-1', '--out', out, '--force')).code).toBe(0);
    expect(new Uint8Array(await readFile(out))).toEqual(at.source.model);
  });

  it('leaves nothing behind when the coordinator breaks off', async () => {
    const at = await desk(completed().consortium, {
      ...AUDITOR,
      admin: () => ({
        exportModel: async function* () {
          yield Uint8Array.of(1);
          await Promise.resolve();
          throw new Error('the disk died');
        },
      }),
    });
    const before = await readdir(at.folder);
    expect((await at.run('export', 'job-1', '--out', at.path('model.onnx'))).code).toBe(1);
    expect(await readdir(at.folder)).toEqual(before);
  });
});

describe('export --verify', () => {
  let consortium: MemoryConsortium;
  let first: FirstModel;
  /** What the silos have acknowledged. */
  let trained: Float32Array;

  beforeAll(async () => {
    const forward = new Uint8Array(await readFile(HEART_MODEL));
    first = firstModel(forward, undefined, sha256);
    trained = Float32Array.from({ length: first.model.parameterCount }, (_, i) => i / 8 - 0.5);
  });

  /** Of the update rule. */
  let memory = new Uint8Array();
  /** A line of the job file's section `training`. */
  let server = '';

  const stateOf = (updateState: Uint8Array) =>
    encodeModelState({ modelSha256: sha256(first.onnx), parameters: trained, updateState });

  async function trainedConsortium(): Promise<MemoryConsortium> {
    const path = join(temporaryFolder(), 'train.yaml');
    await writeFile(
      path,
      await trainingFile((text) =>
        text
          .replace(/^ {2}standardiseBy: .*\n/m, '')
          .replace(/^ {2}clip:/m, `${server === '' ? '' : `  ${server}\n`}  clip:`),
      ),
    );
    const { roster } = found(SILOS);
    const manifest = buildManifest(await readJobFile(path), {
      rosterHash: roster.hash,
      initialModelHash: hash(LABELS.model, first.state),
      model: { blob: { sha256: sha256(first.onnx), size: BigInt(first.onnx.length) }, parameterCount: trained.length },
    });
    consortium = new MemoryConsortium(SILOS, { manifest: { ...manifest, roundLimit: 2, closingLayout: undefined } });
    consortium.run();
    return consortium;
  }

  /** Silos in memory know no model: their signatures are made anew over the state that belongs to `trained`. */
  function signed(founded: Founded, answer: GetRoundResponse): GetRoundResponse {
    if (answer.result === undefined) return answer;
    const newModelHash = hash(LABELS.model, stateOf(memory));
    const message = { ...decode(RoundResult, 'result', answer.result.payload), newModelHash };
    const result = seal(founded.coordinatorKey, 'coordinator', 'result', RoundResult, message);
    const ack = {
      resultHash: hash(LABELS.result, result.payload),
      outcome: message.outcome,
      coverage: Coverage.COVERAGE_FULL,
      newModelHash,
      charge: undefined,
    };
    const acknowledgements = founded.silos.map((id) => seal(founded.keyOf(id), siloSigner(id), 'ack', Ack, ack));
    return { ...answer, result, acknowledgements };
  }

  async function atDesk(admin: (honest: AdminHandlers) => Partial<AdminHandlers> = () => ({})): Promise<Desk> {
    const { founded } = await trainedConsortium();
    const at = await desk(consortium, {
      ...AUDITOR,
      admin: (honest) => ({
        getRound: async (caller, request) => signed(founded, await honest.getRound(caller, request)),
        ...admin(honest),
      }),
    });
    at.source.model = withParameters(first.model, trained);
    return at;
  }

  const verify = (at: Desk, forward = HEART_MODEL) =>
    at.run('export', 'heart-train', '--out', at.path('model.onnx'), '--verify', forward, '--json');

  it('says of which round the parameters are the acknowledged result', async () => {
    const at = await atDesk();
    const { code, out, err } = await verify(at);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ verified: { round: 2 }, sha256: hex(sha256(at.source.model)) });
    expect(existsSync(at.path('model.onnx'))).toBe(true);
  });

  it('takes the memory of an update rule into account, and refuses another one', async () => {
    memory = Uint8Array.from({ length: 16 * trained.length }, (_, i) => i % 100);
    server = 'server: { kind: fed-adam, learningRate: 0.1 }';
    try {
      const at = await atDesk();
      at.source.modelState = stateOf(memory);
      const { code, err } = await verify(at);
      expect([code, err]).toEqual([0, '']);
      const other = await atDesk();
      other.source.modelState = stateOf(memory.map((byte) => byte ^ 1));
      const forged = await verify(other);
      expect([forged.code, forged.err]).toEqual([4, expect.stringContaining('have acknowledged')]);
      other.source.modelState = Uint8Array.of(1, 2);
      const damaged = await verify(other);
      expect([damaged.code, damaged.err]).toEqual([4, expect.stringContaining('no state of a model')]);
    } finally {
      [memory, server] = [new Uint8Array(), ''];
    }
  });

  it('refuses other parameters, other graphs and what is no model, and writes nothing', async () => {
    const at = await atDesk();
    const other = trained.map((value, i) => (i === 3 ? value + 1e-3 : value));
    const longer = new Uint8Array([...withParameters(first.model, trained), 0x32, 0x01, 0x78]);
    for (const [model, sentence] of [
      [withParameters(first.model, other), 'not those that the silos have acknowledged'],
      [longer, 'differs from the forward model in more than its parameters'],
      [Uint8Array.of(1, 2, 3), 'what came is no model'],
    ] as const) {
      at.source.model = model;
      const { code, err } = await verify(at);
      expect([code, err]).toEqual([4, expect.stringContaining('audit/bad-answer')]);
      expect(err).toContain(sentence);
      expect(existsSync(at.path('model.onnx'))).toBe(false);
    }
  });

  it('refuses a forward model that the job was not made with', async () => {
    const at = await atDesk();
    const { code, err } = await verify(at, HEART_MODEL.replace('heart-logreg', 'wdbc-mlp'));
    expect([code, err]).toEqual([2, expect.stringContaining('audit/other-model')]);
  });

  it('refuses a result that too few silos have acknowledged', async () => {
    const at = await atDesk((honest) => ({
      getRound: async (caller, request) => {
        const answer = signed(consortium.founded, await honest.getRound(caller, request));
        return { ...answer, acknowledgements: answer.acknowledgements.slice(0, 2) };
      },
    }));
    const { code, err } = await verify(at);
    expect([code, err]).toEqual([4, expect.stringContaining('audit/unconfirmed')]);
  });
});
