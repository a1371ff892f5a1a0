#!/usr/bin/env node
// veilsum-audit: the operator's and auditor's side of a consortium. It speaks to the coordinator and believes what is signed.

import { EXIT, installShutdown } from '../src/system/index.js';
import { connectAdmin } from '../src/transport/index.js';
import { runProgram } from './program.js';
import { systemTerminal } from './terminal.js';

/** Milliseconds that a command may take to end after Ctrl-C. */
const STOP_BOUND_MS = 5_000;

// A reader that has seen enough (`| head`) is no error; a full disk is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

const ending = new AbortController();
const running = runProgram(process.argv.slice(2), {
  terminal: systemTerminal(),
  connect: connectAdmin,
  signal: ending.signal,
});
installShutdown({
  stop: () => {
    ending.abort();
    return running;
  },
  boundMs: STOP_BOUND_MS,
});
process.exitCode = await running;
