// veilsum-audit job create: from a job file to an offered job, and every reason not to.

import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { asJobId, hex } from '../../../src/base/index.js';
import { hash, LABELS, sha256 } from '../../../src/crypto/index.js';
import { checkLayout, firstModel, parseJob, readStatistics } from '../../../src/job/index.js';
import { seal } from '../../../src/protocol/index.js';
import { decode, RoundResult } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { keyFrom } from '../../support/memory/founding.js';
import { pieces } from '../../support/transport.js';
import { desk, type Desk, type DeskOptions } from './desk.js';
import { HEART_MODEL, statisticsConsortium, trainingFile } from './heart.js';

const STATISTICS = 'heart-statistics';

async function atDesk(options: DeskOptions = {}, edit?: (text: string) => string): Promise<Desk> {
  const consortium = await statisticsConsortium();
  consortium.run();
  const at = await desk(consortium, options);
  await at.write('train.yaml', await trainingFile(edit));
  return at;
}

function jobOf({ consortium }: Desk, name: string) {
  return consortium.coordinator.jobs.get(asJobId(name)!);
}

describe('a training job on the result of a statistics job', () => {
  let at: Desk;
  let forward: Uint8Array;
  beforeAll(async () => {
    forward = new Uint8Array(await readFile(HEART_MODEL));
  });

  it('is offered with the first model that its silos will compute themselves', async () => {
    at = await atDesk();
    const { code, out, err } = await at.run('job', 'create', at.path('train.yaml'));
    expect([code, err]).toEqual([0, `uploading the model, ${forward.length} bytes`]);
    const { manifest } = jobOf(at, 'heart-train')!;
    expect(manifest.envelope.signer).toBe('operator/olga');
    expect(at.consortium.blobs.get(hex(sha256(forward)))).toEqual(forward);

    const [statisticsJob] = at.consortium.coordinator.jobs.values();
    const { contract } = parseJob(statisticsJob!.manifest.message);
    const sum = { layout: statisticsJob!.manifest.layout, values: at.consortium.openedSums.get(1)! };
    const first = firstModel(forward, readStatistics(sum, contract, 4), sha256);
    expect(hex(manifest.initialModelHash)).toBe(hex(hash(LABELS.model, first.state)));
    const source = manifest.message.standardiseBy!;
    expect([source.jobId, hex(source.resultHash)]).toEqual([STATISTICS, hex(statisticsJob!.closed[0]!.terminalHash)]);
    expect(checkLayout(manifest.message, first.model)).toEqual([]);
    expect(out).toContain(`veilsum-agent job approve ${hex(manifest.hash)}`);
    expect(out).toContain('heart-train is offered to 4 silos');
  });

  it('is the same job when it is created twice', async () => {
    at = await atDesk();
    const first = await at.json('job', 'create', at.path('train.yaml'));
    const second = await at.json('job', 'create', at.path('train.yaml'));
    expect(second).toEqual(first);
    expect(first).toMatchObject({
      job: 'heart-train',
      kind: 'train',
      offered: true,
      modelSha256: hex(sha256(forward)),
      parameterCount: 14,
      manifestHash: hex(jobOf(at, 'heart-train')!.manifest.hash),
    });
  });

  it('takes another model with --model, and shows everything without offering it with --dry-run', async () => {
    at = await atDesk({}, (text) => text.replace(HEART_MODEL, 'not-there.onnx'));
    expect(await at.run('job', 'create', at.path('train.yaml'))).toMatchObject({ code: 2 });
    const { code, out } = await at.run('job', 'create', at.path('train.yaml'), '--model', HEART_MODEL, '--dry-run');
    expect(code).toBe(0);
    expect(out).toContain('What leaves this hospital');
    expect(out).toContain('Nothing was offered');
    expect(jobOf(at, 'heart-train')).toBeUndefined();
    expect(await at.json('job', 'create', at.path('train.yaml'), '--model', HEART_MODEL, '--dry-run')).toMatchObject({
      offered: false,
    });
  });
});

describe('a statistics job', () => {
  it('needs no model', async () => {
    const at = await desk(new MemoryConsortium(4));
    const silos = at.consortium.founded.silos.join(', ');
    const text = await readFile(new URL('../../../examples/jobs/heart-statistics.yaml', import.meta.url), 'utf8');
    await at.write('statistics.yaml', text.replace(/^silos: .*$/m, `silos: [${silos}]`));
    expect(await at.json('job', 'create', at.path('statistics.yaml'))).toMatchObject({
      job: STATISTICS,
      kind: 'statistics',
      modelSha256: null,
      parameterCount: null,
    });
    const { code, err } = await at.run('job', 'create', at.path('statistics.yaml'), '--model', 'x.onnx');
    expect([code, err]).toEqual([2, expect.stringContaining('audit/model-option: job "heart-statistics"')]);
  });
});

describe('job create refuses', () => {
  const refusals: [string, DeskOptions, (text: string) => string, number, string][] = [
    [
      'an auditor',
      { role: 'auditor', id: 'ada', key: 'auditor/ada' },
      same,
      2,
      'audit/not-operator: expected an operator',
    ],
    ['an operator without a key', { key: null }, same, 2, 'audit/no-signing-key: what an operator does is signed'],
    [
      'the key of somebody else',
      { key: 'operator/otto' },
      same,
      2,
      'is not the one that the roster names for operator "olga"',
    ],
    ['an operator whom the roster does not know', { id: 'otto' }, same, 2, 'the pinned roster has no operator "otto"'],
    [
      'silos outside the roster',
      {},
      (text) => text.replace('silo-003', 'silo-009'),
      2,
      'audit/unknown-silos: the job file names silo-009; the pinned roster has silo-000, silo-001, silo-002, silo-003',
    ],
    ['a job file with a bad field', {}, (text) => text.replace('rounds: 15', 'rounds: many'), 2, 'rounds'],
    [
      'features that the statistics job does not have in this order',
      {},
      (text) => text.replace('column: age', 'column: alter'),
      2,
      'audit/other-columns: feature 1 of this job is alter, of job "heart-statistics" age',
    ],
    [
      'fewer features than the statistics job has',
      {},
      (text) => text.replace(/^.*column: restecg_2.*\n/m, ''),
      2,
      'this job has 12 features, job "heart-statistics" has statistics of 13',
    ],
    [
      'a statistics job that there is none of',
      {},
      (text) => text.replace('standardiseBy: heart-statistics', 'standardiseBy: heart-figures'),
      4,
      'admin/no-job: there is no job "heart-figures"',
    ],
    [
      'a job name that is taken',
      {},
      (text) => text.replace('job: heart-train', 'job: heart-statistics'),
      4,
      'manifest/repeated-job',
    ],
  ];
  it.each(refusals)('%s', async (_what, options, edit, expected, sentence) => {
    const at = await atDesk(options, edit);
    const { code, err, out } = await at.run('job', 'create', at.path('train.yaml'));
    expect([code, out]).toEqual([expected, '']);
    expect(err).toContain(sentence);
    expect(at.consortium.coordinator.jobs.size).toBe(1);
  });

  it('an object stored under another hash', async () => {
    const at = await atDesk({
      admin: () => ({ putBlob: () => Promise.resolve({ blob: { sha256: new Uint8Array(32), size: 1n } }) }),
    });
    const { code, err } = await at.run('job', 'create', at.path('train.yaml'));
    expect([code, err]).toEqual([4, expect.stringContaining('stored other bytes than the model that was sent')]);
  });
});

describe('statistics are not used', () => {
  const create = async (at: Desk) => {
    const { code, err } = await at.run('job', 'create', at.path('train.yaml'));
    expect(jobOf(at, 'heart-train')).toBeUndefined();
    return [code, err];
  };

  it('before the round has a result', async () => {
    const consortium = await statisticsConsortium();
    consortium.hooks = { arrive: (_, { type }) => type !== 'masked-header' };
    const at = await desk(consortium);
    await at.write('train.yaml', await trainingFile());
    expect(await create(at)).toEqual([
      4,
      expect.stringContaining('audit/no-result: round 1 of job "heart-statistics" has no result: it has not begun'),
    ]);
    consortium.settle();
    expect(await create(at)).toEqual([
      4,
      expect.stringContaining('audit/no-result: round 1 of job "heart-statistics" has no result: it is still open'),
    ]);
    consortium.run(1);
    expect(await create(at)).toEqual([4, expect.stringContaining('it was abandoned')]);
  });

  it('before a threshold of silos has verified them', async () => {
    const consortium = await statisticsConsortium();
    let acks = 0;
    consortium.hooks = { arrive: (_, { type }) => type !== 'ack' || ++acks <= 2 };
    consortium.run();
    const at = await desk(consortium);
    await at.write('train.yaml', await trainingFile());
    expect(await create(at)).toEqual([4, expect.stringContaining('audit/unconfirmed: 2 of 4 silos have verified')]);
  });

  it('when one silo acknowledges many times', async () => {
    const at = await atDesk({
      admin: (honest) => ({
        getRound: async (caller, request) => {
          const answer = await honest.getRound(caller, request);
          return { ...answer, acknowledgements: answer.acknowledgements.map(() => answer.acknowledgements[0]!) };
        },
      }),
    });
    expect(await create(at)).toEqual([4, expect.stringContaining('1 of 4 silos have verified')]);
  });

  it('when the sum is not the one in the signed result, or has another length', async () => {
    const zeros = await atDesk({ admin: () => ({ exportSum: () => pieces(new Uint8Array(4 * 28)) }) });
    expect(await create(zeros)).toEqual([4, expect.stringContaining('audit/bad-answer: the opened sum')]);
    const long = await atDesk({ admin: () => ({ exportSum: () => pieces(new Uint8Array(10_000)) }) });
    expect(await create(long)).toEqual([4, expect.stringContaining('more came')]);
  });

  it('when the result is signed by somebody else', async () => {
    const at = await atDesk({
      admin: (honest) => ({
        getRound: async (caller, request) => {
          const answer = await honest.getRound(caller, request);
          const message = decode(RoundResult, 'result', answer.result!.payload);
          return { ...answer, result: seal(keyFrom('somebody'), 'coordinator', 'result', RoundResult, message) };
        },
      }),
    });
    expect(await create(at)).toEqual([4, expect.stringContaining('envelope/bad-signature')]);
  });

  it('when they belong to another job', async () => {
    const other = new MemoryConsortium(4);
    other.run();
    const [job] = other.coordinator.jobs.values();
    const at = await atDesk({
      admin: (honest) => ({
        getJob: async (caller, request) => ({
          ...(await honest.getJob(caller, request)),
          manifest: job!.manifest.envelope,
        }),
      }),
    });
    expect(await create(at)).toEqual([
      4,
      expect.stringContaining('asked for job "heart-statistics", got the manifest of "job-1"'),
    ]);
  });

  it('when the job computes something else', async () => {
    const consortium = new MemoryConsortium(4);
    consortium.run();
    const at = await desk(consortium);
    await at.write('train.yaml', await trainingFile((text) => text.replace(STATISTICS, 'job-1')));
    expect(await create(at)).toEqual([2, expect.stringContaining('audit/not-statistics')]);
  });
});

function same(text: string): string {
  return text;
}
