// The commands of veilsum-agent as its help lists them. Each module is loaded when its command is asked for.

import type { Command } from 'commander';
import type { CommandOnDemand } from '../src/system/index.js';

export const COMMANDS: readonly CommandOnDemand<Command>[] = [
  {
    form: 'run [options]',
    summary: "take part in the jobs that this silo's operator has approved, until SIGTERM",
    load: async () => (await import('./commands/run.js')).addRun,
  },
  {
    form: 'fsck [options]',
    summary: 'check the state folder of a stopped agent: journal, stored inputs, objects, model states',
    load: async () => (await import('./commands/fsck.js')).addFsck,
  },
  {
    form: 'backup [options]',
    summary: 'copy the state folder of a stopped agent; the storage key is not in the copy',
    load: async () => (await import('./commands/backup.js')).addBackup,
  },
  {
    form: 'restore [options]',
    summary: 'put a backup where the agent has no state; only the newest one, made when it stopped, is safe',
    load: async () => (await import('./commands/backup.js')).addRestore,
  },
  {
    form: 'doctor [options]',
    summary: 'check configuration, keys, certificates, network, machine and records, and say what to fix',
    load: async () => (await import('./commands/doctor.js')).addDoctor,
  },
  {
    form: 'data',
    summary: "this silo's records",
    load: async () => (await import('./commands/data.js')).addData,
  },
  {
    form: 'keys [options]',
    summary: 'make the protocol keys of a silo, where there are none; prints their public halves for the roster',
    load: async () => (await import('./commands/keys.js')).addKeys,
  },
  {
    form: 'policy',
    summary: "what this silo's own configuration says to jobs",
    load: async () => (await import('./commands/policy.js')).addPolicy,
  },
  {
    form: 'enroll [options]',
    summary: 'get this silo its certificate and write its configuration',
    load: async () => (await import('./commands/enroll.js')).addEnroll,
  },
  {
    form: 'job',
    summary: 'list, read, approve or refuse the jobs that were offered to this silo',
    load: async () => (await import('./commands/job.js')).addJob,
  },
  {
    form: 'roster',
    summary: 'who belongs to the consortium: show it, propose the next roster, sign one that was proposed',
    load: async () => (await import('./commands/roster.js')).addRoster,
  },
  {
    form: 'ledger',
    summary: 'what the data sets of this silo have been used for, and what their budgets leave',
    load: async () => (await import('./commands/ledger.js')).addLedger,
  },
  {
    form: 'model',
    summary: 'models of jobs that this silo has verified',
    load: async () => (await import('./commands/model.js')).addModel,
  },
  {
    form: 'evidence',
    summary: 'signed messages that contradict each other, as this silo met them',
    load: async () => (await import('./commands/evidence.js')).addEvidence,
  },
];
