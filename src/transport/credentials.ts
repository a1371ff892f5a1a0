// TLS on both sides: 1.3 or nothing, a certificate of the consortium's authority required from both ends. Who the certificate speaks for
// is asked per call (gate.ts) on the server, and per connection here on the client.

import type { PeerCertificate } from 'node:tls';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { Clock } from '../base/index.js';
import { identityFromCertificate } from '../pki/index.js';
import type { TlsMaterial } from './clients.js';
import { TransportError } from './errors.js';

const MIN_VERSION = 'TLSv1.3';

function contextOptions(tls: TlsMaterial) {
  return { ca: tls.authorityPem, cert: tls.chainPem, key: tls.privateKeyPem, minVersion: MIN_VERSION } as const;
}

/** Server credentials whose certificate can be exchanged while the server runs: for new connections, all at once. */
export class ExchangeableCredentials extends ServerCredentials {
  constructor(tls: TlsMaterial, handshakeMs: number) {
    super({ requestCert: true, rejectUnauthorized: true, handshakeTimeout: handshakeMs }, contextOptions(tls));
  }

  replace(tls: TlsMaterial): void {
    // Refuses a torn pair here, with the old certificate still in use, instead of in every handshake to come.
    createSecureContext(contextOptions(tls));
    this.updateSecureContextOptions(contextOptions(tls));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

export interface ServerCheck {
  readonly consortium: string;
  readonly clock: Clock;
  /** Told of a server that is not the coordinator: gRPC itself would only say that no connection came about. */
  readonly onWrongServer: (error: TransportError) => void;
}

/** Client credentials that accept only the coordinator of `consortium`, under the host name that was dialled. */
export function clientCredentials(tls: TlsMaterial, check: ServerCheck): ChannelCredentials {
  return credentials.createFromSecureContext(createSecureContext(contextOptions(tls)), {
    checkServerIdentity: (host, certificate) => {
      const error = serverFault(host, certificate, check);
      if (error !== undefined) check.onWrongServer(error);
      return error;
    },
  });
}

function serverFault(host: string, certificate: PeerCertificate, check: ServerCheck): TransportError | undefined {
  const wrongHost = checkServerIdentity(host, certificate);
  if (wrongHost !== undefined) return new TransportError('transport/wrong-server', wrongHost.message);
  const identity = identityFromCertificate(certificate.raw, check.consortium, check.clock.now());
  if (!identity.ok)
    return new TransportError('transport/wrong-server', identity.error.message, { cause: identity.error });
  if (identity.value.role !== 'coordinator')
    return new TransportError('transport/wrong-server', `${host} shows the certificate of ${identity.value.uri}.`);
  return undefined;
}
