// A member's TLS material from the two files that a configuration names.

import { fromUtf8, LIMITS } from '../base/index.js';
import { readSmallFile } from '../system/index.js';
import { readBundle } from './bundle.js';

export interface TlsFiles {
  /** Own certificate chain and key. */
  readonly bundle: string;
  /** The consortium's authority, which the other side's certificate is checked against. */
  readonly ca: string;
}

/** Throws PkiError, SystemError. */
export async function readTlsFiles(
  files: TlsFiles,
): Promise<{ readonly chainPem: string; readonly authorityPem: string; readonly privateKeyPem: string }> {
  const { chainPem, privateKeyPem } = await readBundle(files.bundle);
  return { chainPem, privateKeyPem, authorityPem: fromUtf8(await readSmallFile(files.ca, LIMITS.certificateBytes)) };
}
