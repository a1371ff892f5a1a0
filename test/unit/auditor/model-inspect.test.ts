// veilsum-audit model inspect: a model that trains, one that does not, and how it ends.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { float32, GraphBuilder } from '../../../src/model/index.js';
import { fixtureModel } from '../../support/parity.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';
import { operateOn } from '../../support/onnx-surgery.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { runCommand } from './desk.js';

async function inspect(bytes: Uint8Array, ...options: string[]) {
  const file = join(temporaryFolder(), 'model.onnx');
  await writeFile(file, bytes);
  return runCommand(['model', 'inspect', file, ...options]);
}

describe('model inspect', () => {
  it('shows vector, layout, operators, losses and memory of a model that trains', async () => {
    const { code, out } = await inspect(fixtureModel('resnet'), '--batch', '6');
    expect(code).toBe(0);
    expect(out).toMatch(/^input +x, float32 \[batch, 3, 8, 8\]$/m);
    expect(out).toMatch(/^running statistics +12 of these, averaged over silos$/m);
    expect(out).toMatch(/^losses .*softmax-cross-entropy/m);
    expect(out).toMatch(/^memory +about \d+\.\d MB in a step of 6 rows$/m);
    expect(out).toMatch(/^b\.running_mean +\[4\] +\d+ +4 +running statistic$/m);
    expect(out).toMatch(/^Conv +\d+$/m);
  });

  it('warns of an output that is no logit, behind whatever changes no value', async () => {
    const graph = new GraphBuilder(17, '');
    graph.input('x', 'float32', ['n', 2]);
    const weight = graph.initialiser('w', float32([2, 1], [1, 2]));
    const squashed = graph.emit('Sigmoid', [graph.emit('MatMul', ['x', weight])]);
    graph.emitNamed('Identity', [squashed], ['y']);
    graph.output('y', 'float32', ['n', 1]);
    const { code, out } = await inspect(graph.bytes());
    expect({ code, out }).toMatchObject({ code: 0 });
    expect(out).toMatch(/^warning: output y: ends in Sigmoid; .* want the logits before it$/m);
    expect((await inspect(fixtureModel('cnn'))).out).not.toContain('warning');
  });

  it('says what is left out when only some parameters are trained', async () => {
    const { code, out } = await inspect(fixtureModel('cnn'), '--train', 'f2.*');
    expect(code).toBe(0);
    expect(out).toMatch(/^vector +27 values in 2 parameters$/m);
    expect(out).toContain('not trained: c1.weight, c1.bias, c2.weight, c2.bias, f1.weight, f1.bias');
  });

  it('prints the same as JSON', async () => {
    const { code, out } = await inspect(fixtureModel('lstm'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      accepted: true,
      parameterCount: 212,
      input: { name: 'x', rowShape: [7, 3] },
      losses: { 'softmax-cross-entropy': null },
      memory: { batchSize: 32 },
    });
  });

  it('lists every reason with its node and ends with 4', async () => {
    const bytes = operateOn(multiLayerPerceptron([4, 3, 1], 1), (m) => {
      Object.assign(m.graph.node[0]!, { opType: 'Loop', name: 'first' });
      Object.assign(m.graph.node[1]!, { opType: 'Det', name: 'second' });
    });
    const { code, out, err } = await inspect(bytes);
    expect(code).toBe(4);
    expect(out).toContain('node first: no gradient for operator Loop');
    expect(out).toContain('node second: no gradient for operator Det');
    expect(err).toContain('audit/model-refused');
    expect(err).toContain('there are 2 reasons');
  });

  it('refuses a pattern that names nothing, and bytes that are no model', async () => {
    const unknown = await inspect(fixtureModel('cnn'), '--train', 'head.*', '--json');
    expect(unknown.code).toBe(4);
    expect(JSON.parse(unknown.out)).toEqual({
      accepted: false,
      problems: [{ place: 'train', what: 'head.* is the name of no trainable parameter' }],
    });
    expect((await inspect(Uint8Array.of(1, 2, 3))).code).toBe(4);
  });

  it('wants a whole number of rows', async () => {
    const { code, err } = await inspect(fixtureModel('cnn'), '--batch', '0');
    expect(code).toBe(2);
    expect(err).toContain('expected 1 to 65536 rows');
  });
});
