// A job with a personalised head, with real programs: every hospital trains the head for itself, nobody else sees it, and its
// own command writes it out.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { parametersIn, readForwardModel, initialParameters } from '../../src/model/index.js';
import { EXIT } from '../../src/system/index.js';
import { JobState, Outcome, type Job, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { RANGES } from '../support/e2e/records.js';
import { built, startNode, type Ended } from '../support/built-program.js';
import { multiLayerPerceptron } from '../support/onnx-models.js';
import { gathered } from '../support/transport.js';

const ONNX = multiLayerPerceptron([RANGES.length, 6, 1], 5);
const WHOLE = readForwardModel(ONNX);
const LOCAL = ['layer2.*'];
let consortium: Consortium;
let job: Job;
let rounds: Round[];
let published: Uint8Array;
const exports: Ended[] = [];
const models: Uint8Array[] = [];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  await consortium.start();
  const { silos, roster, at } = consortium.founded;
  await consortium.putBlob(ONNX);
  const file = trainingFile('personal', silos, { model: { file: 'model.onnx', local: LOCAL } });
  const { manifest } = trainingManifest(file, roster.hash, ONNX);
  await consortium.approve(await consortium.offer(manifest));
  job = await consortium.finished('personal');
  rounds = await consortium.acknowledgedRounds('personal');
  published = await gathered(consortium.client.exportModel({ jobId: 'personal', state: false }));
  await consortium.toldOfEnd('personal');
  await consortium.stopPrograms();
  for (const silo of silos) {
    const out = at(`${silo}.onnx`);
    const args = ['model', 'export', 'personal', '--config', at(`${silo}.yaml`), '--out', out];
    exports.push(await startNode([built('silo-agent/main.ts'), ...args]).ended);
    models.push(await readFile(out));
  }
});

afterAll(() => consortium.close());

const valuesOf = (file: Uint8Array, name: string): number[] => {
  const { offset, length } = WHOLE.parameters.find((slot) => slot.name === name)!;
  return [...parametersIn(WHOLE, file).subarray(offset, offset + length)];
};
const inFile = (name: string): number[] => {
  const { offset, length } = WHOLE.parameters.find((slot) => slot.name === name)!;
  return [...initialParameters(WHOLE).subarray(offset, offset + length)];
};

it('trains to the end, and publishes the shared part with the head that the job began with', () => {
  expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
  expect(rounds.map(({ outcome }) => outcome)).toEqual(rounds.map(() => Outcome.OUTCOME_APPLIED));
  expect(valuesOf(published, 'layer1.weight')).not.toEqual(inFile('layer1.weight'));
  expect(valuesOf(published, 'layer2.weight')).toEqual(inFile('layer2.weight'));
});

it('leaves each hospital a head of its own, which its own command exports with the shared part', () => {
  for (const { code, stdout, stderr } of exports) {
    expect([code, stderr]).toEqual([EXIT.ok, '']);
    expect(stdout).toContain("local         layer2.*: this silo's own");
  }
  const heads = models.map((model) => valuesOf(model, 'layer2.weight').join());
  expect(new Set([...heads, inFile('layer2.weight').join()]).size).toBe(4);
  for (const model of models)
    for (const name of ['layer1.weight', 'layer1.bias'])
      expect(valuesOf(model, name)).toEqual(valuesOf(published, name));
});
