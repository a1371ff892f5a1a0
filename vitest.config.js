import { BaseSequencer } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/** Files that take longest: begun last, one of them would run alone at the end while the other core waits. */
const LONG = [
  'sim/cheap-seeds',
  'e2e/kill-',
  'e2e/network',
  'sim/seeds',
  'lint/canary',
  'e2e/disk',
  'e2e/several',
  'e2e/outgrowing',
];

class LongestFirst extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }) => LONG.some((name) => moduleId.includes(`/test/${name}`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

// Two cores: forks keep native modules (LMDB, ONNX Runtime, DuckDB) apart; nothing here may depend on time.
const shared = {
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 180_000,
  hookTimeout: 180_000,
  reporters: ['default'],
  sequence: { sequencer: LongestFirst },
};

/** What replaces a module of Node's below everything, or kills and is killed: a process of its own for each file. */
const APART = ['test/{sim,e2e}/**/*.test.ts', 'test/unit/**/*-costs.test.ts', 'test/unit/trainer/trainer.test.ts'];

export default defineConfig({
  test: {
    ...shared,
    projects: [
      { test: { ...shared, name: 'apart', include: APART } },
      {
        // Loading the modules takes longer than most of these tests: a process keeps them for the files that follow.
        test: {
          ...shared,
          name: 'together',
          isolate: false,
          include: ['test/{unit,property,vectors,interop,lint}/**/*.test.ts'],
          exclude: APART,
        },
      },
    ],
  },
});
