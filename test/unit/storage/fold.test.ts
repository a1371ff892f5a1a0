import { describe, expect, it } from 'vitest';
import { checkFold, describeCheck, type JournalRecord } from '../../../src/storage/index.js';

async function* records(...bytes: number[]): AsyncGenerator<JournalRecord> {
  let sequence = 0;
  for (const byte of bytes) {
    await Promise.resolve();
    yield { sequence: ++sequence, bytes: Uint8Array.of(byte) };
  }
}

describe('a fold over a journal', () => {
  it('counts what folds, and stops at the first record that does not, by its number', async () => {
    const seen: number[] = [];
    const report = await checkFold(records(1, 2, 13, 4), ([byte]) => {
      seen.push(byte!);
      return byte === 13 ? 'unlucky' : undefined;
    });
    expect(report).toEqual({ whole: 2, problems: [{ where: 'record 3', what: 'unlucky' }] });
    expect(seen).toEqual([1, 2, 13]);
  });

  it('is shown to people in a line, with each problem below', () => {
    expect(describeCheck('events', { whole: 7, problems: [] })).toEqual(['events            7 whole   whole']);
    const bad = describeCheck('models', { whole: 1, problems: [{ where: 'abc', what: 'torn' }] });
    expect(bad).toEqual(['models            1 whole   1 NOT WHOLE', '  abc: torn']);
  });
});
