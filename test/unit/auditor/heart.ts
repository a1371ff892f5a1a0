// The heart example over the silos of a consortium in memory: its statistics job with plausible sums, and files for the training job.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readJobFile } from '../../../src/config/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { buildManifest, NO_MODEL_STATE, SEGMENT } from '../../../src/job/index.js';
import { readLayout } from '../../../src/protocol/index.js';
import { segmentNamed } from '../../../src/vector/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { found } from '../../support/memory/founding.js';
import type { JobManifest } from '../../../src/wire/index.js';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
export const HEART_MODEL = `${examples}models/heart-logreg.onnx`;
export const SILOS = 4;

/** The statistics manifest of the example with the silos of `found(4)`. */
export async function statisticsManifest(log = false): Promise<JobManifest> {
  const { roster, silos } = found(SILOS, { log });
  const file = await readJobFile(`${examples}jobs/heart-statistics.yaml`);
  const facts = { rosterHash: roster.hash, initialModelHash: hash(LABELS.model, NO_MODEL_STATE) };
  return buildManifest({ ...file, silos }, facts);
}

/** Not yet run: silo i has 50 records, whose features have the mean 0.3 + 0.02 i and the variance 0.04 of their declared range. */
export async function statisticsConsortium(changes: Partial<JobManifest> = {}): Promise<MemoryConsortium> {
  const manifest = await statisticsManifest();
  const consortium = new MemoryConsortium(SILOS, { manifest: { ...manifest, ...changes } });
  putStatistics(consortium, manifest);
  return consortium;
}

/** These inputs for a consortium that runs the statistics job. */
export function putStatistics(consortium: MemoryConsortium, manifest: JobManifest): void {
  const layout = readLayout(manifest.layout);
  consortium.silos.forEach((silo, i) => {
    silo.input = (_round, length) => {
      const vector = new Int32Array(length);
      const put = (name: string, value: number): void => {
        const { offset, length: columns, quantiser } = segmentNamed(layout, name)!;
        const scale = quantiser.kind === 'real' ? quantiser.scale : 1;
        vector.fill(Math.round(value * scale), offset, offset + columns);
      };
      const mean = 0.3 + 0.02 * i;
      put(SEGMENT.rows, 50);
      put(SEGMENT.sum, 50 * mean);
      put(SEGMENT.sumOfSquares, 50 * (mean * mean + 0.04));
      return vector;
    };
  });
}

/** The training job file of the example, for these silos. */
export async function trainingFile(edit: (text: string) => string = (text) => text): Promise<string> {
  const text = await readFile(`${examples}jobs/heart-train.yaml`, 'utf8');
  return edit(
    text
      .replace(/^silos: .*$/m, `silos: [${found(SILOS).silos.join(', ')}]`)
      .replace('../models/heart-logreg.onnx', HEART_MODEL),
  );
}
