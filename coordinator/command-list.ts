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
    form: 'backup [options]',
    summary: 'copy the state folder of a stopped coordinator; the storage key is not in the copy',
    load: async () => (await import('./commands/backup.js')).addBackup,
  },
  {
    form: 'restore [options]',
    summary: 'put a backup where the coordinator has no state',
    load: async () => (await import('./commands/backup.js')).addRestore,
  },
  {
    form: 'doctor [options]',
    summary: 'check configuration, keys, certificates, network and machine, and say what to fix',
    load: async () => (await import('./commands/doctor.js')).addDoctor,
  },
  {
    form: 'evidence',
    summary: 'signed messages that contradict each other, and what convicted silos',
    load: async () => (await import('./commands/evidence.js')).addEvidence,
  },
];
