// The TLS key of an enrolment under way, written down before anything is sent: whoever lost the answer asks again with the same key and
// gets it again.

import { fromUtf8, utf8 } from '../../src/base/index.js';
import { EnrolmentError } from '../../src/enrolment/index.js';
import { createRequest, type CertificateRequest, type Identity } from '../../src/pki/index.js';
import { readSecretFile, SystemError, writeSecretFile } from '../../src/system/index.js';

/** The one that is under way, or a new one. */
export async function pendingRequest(
  path: string,
  consortium: string,
  identity: Identity,
): Promise<CertificateRequest> {
  const known = await readPending(path);
  if (known !== undefined) return known;
  const made = await createRequest(consortium, identity);
  await writeSecretFile(path, utf8(`${made.privateKeyPem.trim()}\n${made.requestPem.trim()}\n`));
  return made;
}

/** Throws EnrolmentError `enrolment/nothing-pending`. */
export async function requirePending(path: string): Promise<CertificateRequest> {
  const known = await readPending(path);
  if (known === undefined) throw new EnrolmentError('enrolment/nothing-pending', `${path} does not exist.`);
  return known;
}

async function readPending(path: string): Promise<CertificateRequest | undefined> {
  let text: string;
  try {
    text = fromUtf8(await readSecretFile(path));
  } catch (cause) {
    if (cause instanceof SystemError && cause.code === 'system/not-found') return undefined;
    throw cause;
  }
  const at = text.indexOf('-----BEGIN CERTIFICATE REQUEST-----');
  return at < 0 ? undefined : { privateKeyPem: text.slice(0, at), requestPem: text.slice(at) };
}
