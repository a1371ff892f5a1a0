// The commands of veilsum-coordinator as its help lists them. Each module is loaded when its command is asked for.

import type { Command } from 'commander';
import type { CommandOnDemand } from '../src/system/index.js';

export const COMMANDS: readonly CommandOnDemand<Command>[] = [
  {
    form: 'run [options]',
    summary: 'run the coordinator until SIGTERM',
    load: async () => (await import('./commands/run.js')).addRun,
  },
  {
    form: 'fsck [options]',
    summary: 'check the state folder of a stopped coordinator: journal, log, confirmed uploads, objects, model states',
    load: async () => (await import('./commands/fsck.js')).addFsck,
  },
  {
    form: 'doctor [options]',
    summary: 'check configuration, keys, certificates, network and machine, and say what to fix',
    load: async () => (await import('./commands/doctor.js')).addDoctor,
  },
];
