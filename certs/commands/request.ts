// veilsum-ca request: the member's side. Makes a key that never leaves the member, and a request that proves it.

import type { Command } from 'commander';
import { Option } from 'commander';
import { utf8 } from '../../src/base/index.js';
import { createRequest, ROLES } from '../../src/pki/index.js';
import { writeFileDurably, writeSecretFile } from '../../src/system/index.js';
import { identityOf } from './issue.js';
import { makeFolderOf } from './out-folder.js';

interface Options {
  readonly consortium: string;
  readonly role: string;
  readonly id?: string;
  readonly key: string;
  readonly out: string;
  readonly force: boolean;
}

export function addRequest(program: Command): void {
  program
    .command('request')
    .description('make a key and a certificate request, on the member’s own machine')
    .requiredOption('--consortium <name>', 'name of the consortium')
    .addOption(new Option('--role <role>', 'what the member is').choices(ROLES).makeOptionMandatory())
    .option('--id <id>', 'name of the member; not needed for the coordinator')
    .requiredOption('--key <file>', 'where the private key goes (mode 0600); keep it')
    .requiredOption('--out <file>', 'where the request goes; send it to the authority')
    .option('--force', 'replace files that are already there', false)
    .action(async ({ consortium, role, id, key, out, force }: Options) => {
      await makeFolderOf(key, out);
      const made = await createRequest(consortium, identityOf(role, id));
      await writeSecretFile(key, utf8(made.privateKeyPem), { replace: force });
      await writeFileDurably(out, utf8(made.requestPem), { replace: force });
      console.log(`Request written to ${out}; the key stays in ${key}.`);
    });
}
