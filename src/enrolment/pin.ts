// The authority before anything is known of it but a fingerprint: a first connection looks at its certificate and sends nothing; every
// other one is checked by OpenSSL against the certificate that was found.

import { createHash } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { equalBytes, hex } from '../base/index.js';
import { openSocket, splitAddress } from '../network/index.js';
import type { Endpoint } from './endpoint.js';
import { EnrolmentError } from './errors.js';

/** The authority's certificate in PEM, whose SHA-256 is `fingerprint`. Throws EnrolmentError `enrolment/other-authority`, NetworkError. */
export async function pinAuthority(endpoint: Endpoint, fingerprint: Uint8Array, timeoutMs: number): Promise<string> {
  const socket = await openSocket({ ...endpoint, timeoutMs });
  const { host } = splitAddress(endpoint.address);
  const chain = await new Promise<Buffer[]>((resolve, reject) => {
    // Nothing is trusted and nothing is sent: the fingerprint decides over what is found.
    const tls: TLSSocket = connect({
      socket,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: endpoint.serverName ?? host }),
    });
    const timer = setTimeout(() => tls.destroy(new Error('no answer in time')), timeoutMs);
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      const found = certificatesOf(tls.getPeerCertificate(true));
      tls.destroy();
      resolve(found);
    });
    tls.once('error', (cause: Error) => {
      clearTimeout(timer);
      reject(
        new EnrolmentError('enrolment/other-authority', `${endpoint.address} speaks no TLS 1.3: ${cause.message}.`, {
          cause,
        }),
      );
    });
  });
  const pinned = chain.find((der) => equalBytes(createHash('sha256').update(der).digest(), fingerprint));
  if (pinned === undefined)
    throw new EnrolmentError(
      'enrolment/other-authority',
      `none of the ${String(chain.length)} certificates at ${endpoint.address} has the fingerprint ${hex(fingerprint)}.`,
    );
  return `-----BEGIN CERTIFICATE-----\n${pinned.toString('base64').replace(/.{64}/g, '$&\n').trim()}\n-----END CERTIFICATE-----\n`;
}

/** Of a chain, which ends with a certificate that is its own issuer, or with an empty one. */
function certificatesOf(first: DetailedPeerCertificate): Buffer[] {
  const found: Buffer[] = [];
  // Node's type does not say that a field may be missing at the chain's end.
  let next: Partial<DetailedPeerCertificate> | undefined = first;
  while (next?.raw !== undefined) {
    const { raw } = next;
    if (found.some((der) => der.equals(raw))) break;
    found.push(raw);
    next = next.issuerCertificate;
  }
  return found;
}
