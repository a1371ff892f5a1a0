import { describe, expect, it, vi } from 'vitest';
import { keepFresh } from '../../../src/pki/index.js';

/** Lets every promise that is settled run its course. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('a file that is kept fresh', () => {
  it('is taken when it changed, kept with one complaint while it cannot be used, and left alone after the end', async () => {
    vi.useFakeTimers();
    try {
      const looks: (boolean | Error)[] = [
        false,
        true,
        new Error('torn'),
        new Error('torn'),
        new Error('other'),
        true,
        true,
      ];
      let taken = 0;
      const kept: string[] = [];
      let asked = 0;
      const stop = keepFresh({
        everyMs: 10,
        file: {
          refresh: () => {
            const look = looks[asked++] ?? false;
            return look instanceof Error ? Promise.reject(look) : Promise.resolve(look);
          },
        },
        onTaken: () => taken++,
        onKept: (cause) => kept.push(cause instanceof Error ? cause.message : ''),
      });
      for (let i = 0; i < 6; i++) {
        vi.advanceTimersByTime(10);
        await settle();
      }
      stop();
      vi.advanceTimersByTime(100);
      await settle();
      expect({ taken, kept, asked }).toEqual({ taken: 2, kept: ['torn', 'other'], asked: 6 });
    } finally {
      vi.useRealTimers();
    }
  });
});
