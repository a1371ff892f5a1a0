// veilsum-agent keys: the first step of a hospital. Makes the protocol keys and prints what the consortium needs for the roster.

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { createSigningKey, identityUri, readSigningKey } from '../../src/pki/index.js';
import { makeDirectory } from '../../src/system/index.js';
import { folderOf } from '../enrolment/folder.js';

interface Options {
  readonly silo: string;
  readonly dir: string;
}

export function addKeys(program: Command): void {
  program
    .command('keys')
    .description('make the protocol keys of a silo, where there are none; prints their public halves for the roster')
    .requiredOption('--silo <name>', 'name of the silo: lower-case letters, digits, inner hyphens')
    .requiredOption('--dir <folder>', 'the folder of the agent')
    .action(makeKeys);
}

async function makeKeys({ silo, dir }: Options): Promise<void> {
  // Only for its check of the name.
  identityUri('consortium', { role: 'silo', id: silo });
  const folder = folderOf(dir, silo);
  await makeDirectory(folder.secrets);
  const known = [folder.signingKey, folder.cosigningKey].filter((path) => existsSync(path));
  const signingKey = await publicHalf(folder.signingKey);
  const cosigningKey = await publicHalf(folder.cosigningKey);
  console.log(`  - silo: ${silo}`);
  console.log(`    signingKey: "${hex(signingKey)}"`);
  console.log(`    cosigningKey: "${hex(cosigningKey)}"`);
  if (known.length > 0) console.error(`Unchanged, because it was there: ${known.join(', ')}.`);
  console.error(`Send these lines to the consortium, for the roster. The keys stay in ${folder.secrets}.`);
}

/** Of the key that is there, or of a new one: asked again, the command says the same. */
async function publicHalf(path: string): Promise<Uint8Array> {
  const { publicKey, seed } = existsSync(path) ? await readSigningKey(path) : await createSigningKey(path);
  seed.wipe();
  return publicKey;
}
