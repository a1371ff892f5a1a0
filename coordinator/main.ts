#!/usr/bin/env node
// veilsum-coordinator: relays, adds up masked vectors, publishes results. Commands are in commands/; this file only assembles them.

import { Command, CommanderError } from 'commander';
import { EXIT, exitCodeFor, failureText } from '../src/system/index.js';
import { addDoctor } from './commands/doctor.js';
import { addFsck } from './commands/fsck.js';
import { addRun } from './commands/run.js';

const program = new Command('veilsum-coordinator')
  .description('The coordinator of a Veilsum consortium: it adds up masked updates and can only ever see their sum.')
  .showHelpAfterError()
  .exitOverride();

addRun(program);
addFsck(program);
addDoctor(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  process.stderr.write(`${failureText(error)}
`);
  process.exit(exitCodeFor(error));
}
