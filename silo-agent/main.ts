#!/usr/bin/env node
// veilsum-agent: runs inside an institution's network, reads its private records, trains, masks, answers. It only dials out.

import { Command, CommanderError } from 'commander';
import { EXIT, exitCodeFor, failureText } from '../src/system/index.js';
import { addEnroll } from './commands/enroll.js';
import { addData } from './commands/data.js';
import { addDoctor } from './commands/doctor.js';
import { addFsck } from './commands/fsck.js';
import { addJob } from './commands/job.js';
import { addKeys } from './commands/keys.js';
import { addLedger } from './commands/ledger.js';
import { addPolicy } from './commands/policy.js';
import { addRun } from './commands/run.js';

const program = new Command('veilsum-agent')
  .description('The agent of one silo: its records never leave, its model updates leave only masked.')
  .showHelpAfterError()
  .exitOverride();

addRun(program);
addFsck(program);
addDoctor(program);
addData(program);
addKeys(program);
addPolicy(program);
addEnroll(program);
addJob(program);
addLedger(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  process.stderr.write(`${failureText(error)}
`);
  process.exit(exitCodeFor(error));
}
