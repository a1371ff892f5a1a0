// The commands of veilsum-audit under one roof. Commands are in commands/; this file assembles them and says how they end.

import { Command } from 'commander';
import { addActs } from './commands/acts.js';
import { addEvidence } from './commands/evidence.js';
import { addExport } from './commands/export.js';
import { addJobCreate } from './commands/job-create.js';
import { addJobOrders } from './commands/job-order.js';
import { addJobs } from './commands/jobs.js';
import { addLedger } from './commands/ledger.js';
import { addParticipation } from './commands/participation.js';
import { addPrivacy } from './commands/privacy.js';
import { addLog } from './commands/log.js';
import { addModelInspect } from './commands/model-inspect.js';
import { addReport } from './commands/report.js';
import { addRoster } from './commands/roster.js';
import { addRound } from './commands/round.js';
import { addRounds } from './commands/rounds.js';
import { addSilos } from './commands/silos.js';
import { addVerify } from './commands/verify.js';
import { addWatch } from './commands/watch.js';
import { printConfig, readClientConfig } from '../src/config/index.js';
import { EXIT, type ExitCode } from '../src/system/index.js';
import { exitCodeOf, report } from './outcome.js';
import { demandConfig, type GlobalOptions, type World } from './session.js';
import { guarded } from './terminal.js';

const PRINT_CONFIG = '--print-config';

/** `end`: takes the exit code of a command that has done its work and found something. */
export function createProgram(world: World, end: (code: ExitCode) => void = () => undefined): Command {
  const program = new Command('veilsum-audit')
    .description(
      'Create jobs, follow their rounds and fetch their results, for operators and auditors of a consortium.',
    )
    .option('--config <file>', 'client configuration in YAML; docs/samples/client.yaml is one')
    .option('--json', 'print JSON on standard output, for scripts')
    .option(PRINT_CONFIG, 'print the configuration with defaults filled in and secrets withheld, and end')
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        print(text, (line) => {
          world.terminal.print(line);
        });
      },
      writeErr: (text) => {
        print(text, (line) => {
          world.terminal.note(line);
        });
      },
    });
  const job = program.command('job').description('create, pause, resume and abort jobs');
  addJobCreate(job, world);
  addJobOrders(job, world);
  for (const add of [addJobs, addRounds, addRound, addWatch, addParticipation, addLedger, addSilos, addReport, addActs])
    add(program, world);
  for (const add of [addExport, addLog, addRoster, addPrivacy]) add(program, world);
  addVerify(program, world, end);
  addEvidence(program, world, end);
  addModelInspect(program.command('model').description('inspect models'), world);
  return program;
}

/** Runs one command line, without the names of node and script; prints what went wrong and returns how to exit. */
export async function runProgram(args: readonly string[], given: World): Promise<ExitCode> {
  const world = { ...given, terminal: guarded(given.terminal) };
  let code: ExitCode = EXIT.ok;
  const program = createProgram(world, (ended) => {
    code = ended;
  });
  try {
    if (args.includes(PRINT_CONFIG)) await showConfig(program, args, world);
    else await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (cause) {
    report(world.terminal, cause, program.opts<{ readonly json?: boolean }>().json === true);
    return exitCodeOf(cause);
  }
}

/** Needs no command: what stands beside the option is read, and nothing is run. */
async function showConfig(program: Command, args: readonly string[], { terminal }: World): Promise<void> {
  program.parseOptions([...args]);
  const { config } = program.opts<GlobalOptions>();
  print(printConfig(await readClientConfig(demandConfig(config))), (line) => {
    terminal.print(line);
  });
}

function print(text: string, line: (text: string) => void): void {
  for (const one of text.replace(/\n$/, '').split('\n')) line(one);
}
