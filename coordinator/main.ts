#!/usr/bin/env node
// veilsum-coordinator: relays, adds up masked vectors, publishes results. Commands are in commands/; this file only assembles them.

import { Command, CommanderError } from 'commander';
import { addAsked, EXIT, exitCodeFor, failureText } from '../src/system/index.js';
import { COMMANDS } from './command-list.js';

const program = new Command('veilsum-coordinator')
  .description('The coordinator of a Veilsum consortium: it adds up masked updates and can only ever see their sum.')
  .showHelpAfterError()
  .exitOverride();

try {
  await addAsked(program, COMMANDS, process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  process.stderr.write(`${failureText(error)}
`);
  process.exit(exitCodeFor(error));
}
