import { defineConfig } from 'vitest/config';

// Two cores: forks keep native modules (LMDB, ONNX Runtime, DuckDB) apart; nothing here may depend on time.
export default defineConfig({
  test: {
    include: ['test/{unit,property,vectors,interop,sim,lint,e2e}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['default'] : ['default'],
  },
});
