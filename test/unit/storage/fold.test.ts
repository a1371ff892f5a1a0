import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFold, describeChecks, Journal } from '../../../src/storage/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

describe('a fold over a journal', () => {
  it('counts what folds, and stops at the first record that does not, by its number', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path });
    await journal.append(
      'numbers',
      [1, 2, 13, 4].map((byte) => Uint8Array.of(byte)),
    );
    await journal.close();
    const seen: number[] = [];
    const report = await checkFold(path, undefined, 'numbers', ([byte]) => {
      seen.push(byte!);
      return byte === 13 ? 'unlucky' : undefined;
    });
    expect(report).toEqual({ whole: 2, problems: [{ where: 'record 3', what: 'unlucky' }] });
    expect(seen).toEqual([1, 2, 13]);
  });
});

describe('the reports of a check', () => {
  const whole = { whole: 7, problems: [] };
  const torn = { whole: 1, problems: [{ where: 'abc', what: 'torn' }] };

  it('are shown to people in a line each, with each problem below', () => {
    const reports = new Map([
      ['events', whole],
      ['models', torn],
    ]);
    expect(describeChecks(reports)).toEqual({
      lines: ['events            7 whole   whole', 'models            1 whole   1 NOT WHOLE', '  abc: torn'],
      whole: false,
    });
    expect(describeChecks(new Map([['events', whole]])).whole).toBe(true);
  });
});
