// Records that are too many for memory: what is held is counted, what lies on disk is unreadable, and everything computed from them is the
// same to the last bit as from memory.

import { fstatSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { countedRows, readDataSet, splitHoldout, type DataSet } from '../../../src/dataset/index.js';
import { GrowingRows } from '../../../src/dataset/growing.js';
import { NO_TABLES, statisticsSegments, type Contract } from '../../../src/job/index.js';
import { ScratchReader, closeScratch, type ScratchRows } from '../../../src/system/index.js';
import { closeEngines, engineOf, QUIET, requestFor, separable } from '../../support/engine.js';
import { held } from '../../support/held.js';
import { npy } from '../../support/numpy.js';
import { logisticRegression } from '../../support/onnx-models.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const ROWS = 5000;
const contract: Contract = {
  dataSet: 'points',
  features: [0, 1].map((i) => ({ column: `x${i}`, minimum: -10, maximum: 10, unit: '' })),
  target: { kind: 'binary', column: 'y' },
  missing: 'refuse',
  minRows: 1,
  maxRows: 1_000_000,
};
const KiB = 1 / 1024;

const open: DataSet[] = [];

afterEach(async () => {
  for (const records of open.splice(0)) records.close?.();
  await closeEngines();
});

/** The same records from memory and from a file. */
async function both(): Promise<{ inMemory: DataSet; inFile: DataSet; folder: string }> {
  const { features, targets } = separable(ROWS);
  const folder = temporaryFolder();
  const values = held(features);
  writeFileSync(join(folder, 'x.npy'), npy('<f4', [ROWS, 2], new Uint8Array(values.buffer)));
  writeFileSync(join(folder, 'y.npy'), npy('<f4', [ROWS], new Uint8Array(targets.buffer)));
  const arrays = [
    { file: join(folder, 'x.npy'), as: 'x' },
    { file: join(folder, 'y.npy'), as: 'y' },
  ];
  const scratch = temporaryFolder();
  const inMemory = await readDataSet({ name: 'points', arrays }, contract, scratch);
  const inFile = await readDataSet({ name: 'points', arrays, memoryMiB: 10 * KiB }, contract, scratch);
  open.push(inFile);
  return { inMemory, inFile, folder: scratch };
}

describe('rows beyond the bound of memory', () => {
  it('are written while they come: what is held never exceeds the bound and a piece', () => {
    const bound = 256 * 1024;
    const rows = new GrowingRows(7, { folder: temporaryFolder(), afterBytes: bound });
    let most = 0;
    for (let row = 0; row < 400_000; row++) {
      rows.push([row, 1, 2, 3, 4, 5, 6]);
      most = Math.max(most, rows.heldBytes);
    }
    // 400 000 rows are 11 MB.
    expect(most).toBeLessThanOrEqual(bound);
    const written = rows.finish() as ScratchRows;
    expect(rows.heldBytes).toBe(0);
    expect(written.rows).toBe(400_000);
    const into = new Float32Array(7);
    const reader = new ScratchReader(written);
    for (const row of [0, 1023, 1024, 123_456, 399_999]) {
      reader.readInto(row, into, 0);
      expect([...into]).toEqual([row, 1, 2, 3, 4, 5, 6]);
    }
    closeScratch(written);
  });

  it('are held whole where nothing bounds them, so the count can tell', () => {
    const rows = new GrowingRows(7);
    for (let row = 0; row < 100_000; row++) rows.push([row, 1, 2, 3, 4, 5, 6]);
    expect(rows.heldBytes).toBeGreaterThan(7 * 4 * 100_000 - 1);
  });
});

describe('the file of records', () => {
  it('has no name and no record in clear', async () => {
    const { inMemory, inFile, folder } = await both();
    expect(readdirSync(folder)).toEqual([]);
    const { fd } = inFile.features as ScratchRows;
    const bytes = Buffer.alloc(fstatSync(fd).size);
    readSync(fd, bytes, 0, bytes.length, 0);
    const record = Buffer.from(held(inMemory.features).buffer).subarray(0, 8);
    expect(bytes.length).toBe(16 * ROWS);
    expect(bytes.includes(record)).toBe(false);
  });

  it('is gone when the data set is closed', async () => {
    const { inFile } = await both();
    const { fd, key } = inFile.features as ScratchRows;
    open.splice(0).forEach((one) => one.close?.());
    expect(() => fstatSync(fd)).toThrow(/EBADF/);
    expect([...key].every((byte) => byte === 0)).toBe(true);
  });
});

describe('records in a file give the same bits as in memory', () => {
  it('in version, split, statistics, training and evaluation', async () => {
    const { inMemory, inFile } = await both();
    expect(inMemory.features).toBeInstanceOf(Float32Array);
    expect(inFile.features).not.toBeInstanceOf(Float32Array);
    expect(inFile.version).toBe(inMemory.version);

    const plan = { ...NO_TABLES, histograms: [{ column: 'x0', bins: 8 }], correlations: ['x0', 'x1'] };
    const segments = [inMemory, inFile].map((one) => statisticsSegments(countedRows(one), contract, plan));
    expect(segments[1]).toEqual(segments[0]);

    const key = new Uint8Array(32).fill(5);
    const [memory, file] = [splitHoldout(inMemory, 0.2, key), splitHoldout(inFile, 0.2, key)];
    expect(file.holdout.rows).toBe(memory.holdout.rows);
    expect(file.holdout.targets).toEqual(memory.holdout.targets);

    const engine = await engineOf(logisticRegression(2));
    const train = async (table: typeof file.train) => {
      const request = requestFor(
        engine,
        { ...table, features: new Float32Array() },
        { duration: { kind: 'epochs', epochs: 2 } },
      );
      return engine.train({ ...request, table }, QUIET);
    };
    const trained = await train(memory.train);
    expect(await train(file.train)).toEqual(trained);
    expect(trained.steps).toBe(2 * Math.ceil(memory.train.rows / 8));
    const measure = async (table: typeof file.holdout) =>
      engine.evaluate({ parameters: trained.parameters, table, batchSize: 64, bins: 10 }, () => false);
    expect(await measure(file.holdout)).toEqual(await measure(memory.holdout));
  });
});
