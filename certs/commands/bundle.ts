// veilsum-ca bundle: the member's side. Puts the key that stayed at home and the certificate that came back into one file.

import type { Command } from 'commander';
import { fromUtf8 } from '../../src/base/index.js';
import { certificatesIn, PkiError, writeBundle } from '../../src/pki/index.js';
import { readSecretFile } from '../../src/system/index.js';
import { readText } from './authority-folder.js';
import { makeFolderOf } from './out-folder.js';

interface Options {
  readonly key: string;
  readonly chain: string;
  readonly out: string;
  readonly force: boolean;
}

export function addBundle(program: Command): void {
  program
    .command('bundle')
    .description('join a private key with the certificate that was issued for it')
    .requiredOption('--key <file>', 'private key that request made')
    .requiredOption('--chain <file>', 'what issue --csr wrote: certificate and authority')
    .requiredOption('--out <file>', 'bundle to write (mode 0600)')
    .option('--force', 'replace the file that is already there', false)
    .action(async ({ key, chain, out, force }: Options) => {
      await makeFolderOf(out);
      const [certificatePem, authorityPem] = certificatesIn(await readText(chain));
      if (certificatePem === undefined || authorityPem === undefined)
        throw new PkiError('pki/unreadable', `${chain} does not hold a certificate and its authority’s`);
      const privateKeyPem = fromUtf8(await readSecretFile(key));
      await writeBundle(out, { certificatePem, authorityPem, privateKeyPem }, { replace: force });
      console.log(`Bundle written to ${out}.`);
    });
}
