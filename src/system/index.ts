// system: the machine as the programs need it. Real clock and randomness, files that survive crashes, secret files, signals, exit codes,
// the lock on a state folder, threads for long arithmetic, and the places where tests may cut the power. Imports base only.

export * from './commands.js';
export * from './durable.js';
export * from './errors.js';
export * from './exit.js';
export * from './failpoint.js';
export * from './free-buffer.js';
export * from './scratch-rows.js';
export * from './secret-file.js';
export * from './shutdown.js';
export * from './small-file.js';
export * from './state-lock.js';
export { serveJobs, type Done, type Jobs } from './worker-jobs.js';
export { defaultThreads, WorkerPool, type WorkerPoolOptions } from './worker-pool.js';
export * from './worker-url.js';
export * from './world.js';
