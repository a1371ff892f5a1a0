#!/usr/bin/env node
// veilsum-agent: runs inside an institution's network, reads its private records, trains, masks, answers. It only dials out.

import { Command, CommanderError } from 'commander';
import { addAsked, EXIT, exitCodeFor, failureText } from '../src/system/index.js';
import { COMMANDS } from './command-list.js';

const program = new Command('veilsum-agent')
  .description('The agent of one silo: its records never leave, its model updates leave only masked.')
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
