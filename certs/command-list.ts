// The commands of veilsum-ca as its help lists them. Each module is loaded when its command is asked for.

import type { Command } from 'commander';
import type { CommandOnDemand } from '../src/system/index.js';

export const COMMANDS: readonly CommandOnDemand<Command>[] = [
  {
    form: 'init [options]',
    summary: 'create the certificate authority of a consortium',
    load: async () => (await import('./commands/init.js')).addInit,
  },
  {
    form: 'issue [options]',
    summary: 'issue a certificate to a member',
    load: async () => (await import('./commands/issue.js')).addIssue,
  },
  {
    form: 'request [options]',
    summary: 'make a key and a certificate request, on the member’s own machine',
    load: async () => (await import('./commands/request.js')).addRequest,
  },
  {
    form: 'bundle [options]',
    summary: 'join a private key with the certificate that was issued for it',
    load: async () => (await import('./commands/bundle.js')).addBundle,
  },
  {
    form: 'keygen [options]',
    summary: 'make an Ed25519 protocol key; prints the public half for the roster',
    load: async () => (await import('./commands/keygen.js')).addKeygen,
  },
  {
    form: 'revoke [options]',
    summary: 'add a serial number to the revocation list',
    load: async () => (await import('./commands/revoke.js')).addRevoke,
  },
  {
    form: 'inspect [options] <file>',
    summary: 'say what the certificates in a file are',
    load: async () => (await import('./commands/inspect.js')).addInspect,
  },
  {
    form: 'token [options]',
    summary: 'make a one-time token with which a hospital enrols its agent; only its hash is kept',
    load: async () => (await import('./commands/token.js')).addToken,
  },
  {
    form: 'serve [options]',
    summary: 'enrol members who have a token and renew certificates, until SIGTERM',
    load: async () => (await import('./commands/serve.js')).addServe,
  },
  {
    form: 'bar [options]',
    summary: 'give a silo no certificate any more, and revoke those it has: no token brings it back',
    load: async () => (await import('./commands/bar.js')).addBar,
  },
  {
    form: 'readmit [options]',
    summary: 'let a barred silo have certificates again; it needs a new token',
    load: async () => (await import('./commands/bar.js')).addBar,
  },
  {
    form: 'rollover',
    summary: 'replace the authority while both the old and the new one count',
    load: async () => (await import('./commands/rollover.js')).addRollover,
  },
];
