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
export default defineConfig({
  test: {
    include: ['test/{unit,property,vectors,interop,sim,lint,e2e}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default'],
    sequence: { sequencer: LongestFirst },
  },
});
