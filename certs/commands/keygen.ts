// veilsum-ca keygen: the Ed25519 key under which a member signs protocol messages. The authority has no part in it.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { createSigningKey } from '../../src/pki/index.js';
import { makeFolderOf } from './out-folder.js';

export function addKeygen(program: Command): void {
  program
    .command('keygen')
    .description('make an Ed25519 protocol key; prints the public half for the roster')
    .requiredOption('--out <file>', 'where the private key goes (mode 0600)')
    .option('--force', 'replace the key that is already there: the roster must then change too', false)
    .action(async ({ out, force }: { readonly out: string; readonly force: boolean }) => {
      await makeFolderOf(out);
      const { publicKey, seed } = await createSigningKey(out, { replace: force });
      seed.wipe();
      console.log(hex(publicKey));
    });
}
