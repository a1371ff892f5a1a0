// Loaded into the coordinator's process before its program (--import): answers over the channel of its parent what only the process
// itself can count. The program does not know of it.

export interface Measured {
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly externalBytes: number;
}

process.on('message', (message) => {
  if (message !== 'measure') return;
  // Started with --expose-gc: what is left after two collections is held by somebody.
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  collect?.();
  const { heapUsed, rss, external } = process.memoryUsage();
  const measured: Measured = { heapBytes: heapUsed, rssBytes: rss, externalBytes: external };
  process.send?.(measured);
});
// The channel must not keep the program alive.
process.channel?.unref();
