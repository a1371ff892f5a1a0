// veilsum-ca init: starts a consortium's authority.

import type { Command } from 'commander';
import { createAuthority, inspectCertificate } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { certificatePath, saveAuthority } from './authority-folder.js';
import { DAY_MS, wholeNumber } from './outcome.js';

/** Days. The authority outlives members' certificates by far; renewing it touches every institution. */
const DEFAULT_DAYS = 1825;

interface Options {
  readonly consortium: string;
  readonly dir: string;
  readonly days: number;
  readonly force: boolean;
}

export function addInit(program: Command): void {
  program
    .command('init')
    .description('create the certificate authority of a consortium')
    .requiredOption('--consortium <name>', 'name of the consortium: lower-case letters, digits, inner hyphens')
    .requiredOption('--dir <folder>', 'where the authority lives; the key in it stays there')
    .option('--days <n>', 'lifetime of the authority', wholeNumber, DEFAULT_DAYS)
    .option('--force', 'replace an authority that is already there', false)
    .action(async ({ consortium, dir, days, force }: Options) => {
      const files = await createAuthority({
        consortium,
        lifetimeMs: days * DAY_MS,
        now: systemClock.now(),
        rng: systemRng,
      });
      await saveAuthority(dir, files, force);
      const { fingerprint } = inspectCertificate(files.certificatePem);
      console.log(`Authority of ${consortium} created, valid for ${String(days)} days.`);
      console.log(`  certificate (give it to every member)  ${certificatePath(dir)}`);
      console.log(`  fingerprint (compare it by telephone)  ${fingerprint}`);
    });
}
