// veilsum-ca bar and readmit: a member that gets no certificate any more, and the way back. `bar` also revokes what it has.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { isoTime } from '../../src/base/index.js';
import { type Identity, revoke } from '../../src/pki/index.js';
import { systemClock } from '../../src/system/index.js';
import { bar, readmit } from '../service/barred.js';
import { revokedPath } from './authority-folder.js';
import { identityOf } from './issue.js';

interface Options {
  readonly silo: string;
  readonly dir: string;
  readonly reason: string;
}

export function addBar(program: Command): void {
  const withSilo = (command: Command): Command =>
    command.requiredOption('--silo <name>', 'the silo').requiredOption('--dir <folder>', 'folder of the authority');
  withSilo(
    program
      .command('bar')
      .description('give a silo no certificate any more, and revoke those it has: no token brings it back'),
  )
    .addOption(new Option('--reason <text>', 'a note for people').default('no reason given'))
    .action(async ({ silo, dir, reason }: Options) => {
      const identity = identityOf('silo', silo);
      await bar(dir, identity);
      const serials = await serialsOf(dir, identity);
      for (const serial of serials)
        await revoke(revokedPath(dir), serial, `${isoTime(systemClock.now())} ${silo}: ${reason}`);
      console.log(
        `Barred silo ${silo}; ${String(serials.length)} certificates are revoked. Copy ${revokedPath(dir)} to the coordinator.`,
      );
    });
  withSilo(
    program.command('readmit').description('let a barred silo have certificates again; it needs a new token'),
  ).action(async ({ silo, dir }: Options) => {
    const was = await readmit(dir, identityOf('silo', silo));
    console.log(was ? `Silo ${silo} may enrol again.` : `Silo ${silo} was not barred.`);
  });
}

/** Of every certificate that was issued to it; those that have ended are revoked too, which harms nobody. */
async function serialsOf(dir: string, { role, id }: Identity): Promise<string[]> {
  const text = await readFile(join(dir, 'issued.txt'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [serial, , names = ''] = line.split('\t');
    return serial !== undefined && names.split(',').some((name) => name.endsWith(`/${role}/${id}`)) ? [serial] : [];
  });
}
