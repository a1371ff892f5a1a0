// veilsum-agent keys: the first step of a hospital. Makes the protocol keys and prints what the consortium needs for the roster.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { createSigningKey, identityUri } from '../../src/pki/index.js';
import { makeDirectory } from '../../src/system/index.js';
import { folderOf } from '../enrolment/folder.js';

interface Options {
  readonly silo: string;
  readonly dir: string;
}

export function addKeys(program: Command): void {
  program
    .command('keys')
    .description('make the protocol keys of a silo; prints their public halves for the roster')
    .requiredOption('--silo <name>', 'name of the silo: lower-case letters, digits, inner hyphens')
    .requiredOption('--dir <folder>', 'the folder of the agent')
    .action(makeKeys);
}

async function makeKeys({ silo, dir }: Options): Promise<void> {
  // Only for its check of the name.
  identityUri('consortium', { role: 'silo', id: silo });
  const folder = folderOf(dir, silo);
  await makeDirectory(folder.secrets);
  const signing = await createSigningKey(folder.signingKey);
  signing.seed.wipe();
  const cosigning = await createSigningKey(folder.cosigningKey);
  cosigning.seed.wipe();
  console.log(`  - silo: ${silo}`);
  console.log(`    signingKey: "${hex(signing.publicKey)}"`);
  console.log(`    cosigningKey: "${hex(cosigning.publicKey)}"`);
  console.error('Send these lines to the consortium, for the roster. The keys stay in ' + folder.secrets + '.');
}
