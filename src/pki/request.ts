// Certificate requests: a member makes its own key and shows the authority only the public half, with proof that it holds the other.

import { PkiError } from './errors.js';
import type { Identity } from './identity.js';
import { identityUri } from './identity.js';
import { subject } from './authority.js';
import { generateKeys, keyKind, MEMBER_KEY_KIND, privateKeyPem, SIGNING_ALGORITHM, x509 } from './x509.js';

export interface CertificateRequest {
  readonly requestPem: string;
  /** Secret; stays with the member. */
  readonly privateKeyPem: string;
}

export async function createRequest(consortium: string, identity: Identity): Promise<CertificateRequest> {
  const uri = identityUri(consortium, identity);
  const keys = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject(identity.id, consortium),
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: uri }])],
  });
  return { requestPem: request.toString('pem'), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

export interface ProvenKey {
  readonly publicKey: x509.PublicKey;
  /** What the request asks to be called. Only a hint: the authority decides, and warns when they differ. */
  readonly requestedUri: string | undefined;
}

/** The public key of a request whose signature proves possession of the private half. */
export async function checkRequest(requestPem: string): Promise<ProvenKey> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(requestPem);
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'not a certificate request in PEM (PKCS #10)', { cause });
  }
  const kind = kindOf(request);
  if (kind !== MEMBER_KEY_KIND)
    throw new PkiError('pki/request-unproven', `the request's key is ${kind}, not P-256 (${MEMBER_KEY_KIND})`);
  // A malformed signature makes the library throw: the same answer as a wrong one.
  if (!(await request.verify().catch(() => false)))
    throw new PkiError('pki/request-unproven', 'the request is not signed by the key it asks for');
  return { publicKey: request.publicKey, requestedUri: requestedUri(request) };
}

function requestedUri(request: x509.Pkcs10CertificateRequest): string | undefined {
  try {
    const extension = request.getExtension('2.5.29.17');
    const names = extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : [];
    return names.find((name) => name.type === 'url')?.value;
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'the names in the request cannot be read', { cause });
  }
}

function kindOf(request: x509.Pkcs10CertificateRequest): string {
  try {
    return keyKind(request.publicKey);
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'the request’s public key cannot be read', { cause });
  }
}
