#!/usr/bin/env node
// veilsum-ca: the consortium's certificate authority as a tool. Commands are in commands/; this file only assembles them.

import { Command } from 'commander';
import { addAsked } from '../src/system/index.js';
import { COMMANDS } from './command-list.js';
import { exitCodeOf, report } from './commands/outcome.js';

const program = new Command('veilsum-ca')
  .description('Issue and inspect the certificates and keys of a Veilsum consortium.')
  .showHelpAfterError()
  .exitOverride();

try {
  await addAsked(program, COMMANDS, process.argv.slice(2));
  await program.parseAsync();
} catch (cause) {
  report(cause);
  process.exitCode = exitCodeOf(cause);
}
