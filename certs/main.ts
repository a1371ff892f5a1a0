#!/usr/bin/env node
// veilsum-ca: the consortium's certificate authority as a tool. Commands are in commands/; this file only assembles them.

import { Command } from 'commander';
import { addBar } from './commands/bar.js';
import { addBundle } from './commands/bundle.js';
import { addInit } from './commands/init.js';
import { addInspect } from './commands/inspect.js';
import { addIssue } from './commands/issue.js';
import { addKeygen } from './commands/keygen.js';
import { addRequest } from './commands/request.js';
import { addRevoke } from './commands/revoke.js';
import { addRollover } from './commands/rollover.js';
import { addServe } from './commands/serve.js';
import { addToken } from './commands/token.js';
import { exitCodeOf, report } from './commands/outcome.js';

const program = new Command('veilsum-ca')
  .description('Issue and inspect the certificates and keys of a Veilsum consortium.')
  .showHelpAfterError()
  .exitOverride();

for (const add of [
  addInit,
  addIssue,
  addRequest,
  addBundle,
  addKeygen,
  addRevoke,
  addInspect,
  addToken,
  addServe,
  addBar,
  addRollover,
])
  add(program);

try {
  await program.parseAsync();
} catch (cause) {
  report(cause);
  process.exitCode = exitCodeOf(cause);
}
