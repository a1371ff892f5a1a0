// Real TLS between real sockets: the certificates must please OpenSSL, not only our own reader.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Issued, PkiErrorCode } from '../../../src/pki/index.js';
import { identityFromCertificate, issueWithNewKey } from '../../../src/pki/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { HOUR_MS, newAuthority, NOW, optionsFor } from './authority-fixture.js';
import { unixMs } from '../../../src/base/index.js';

const { files, authority } = await newAuthority();
const stranger = await newAuthority();
const coordinator = await issueWithNewKey(authority, optionsFor('coordinator', ''));
const silo = await issueWithNewKey(authority, optionsFor('silo', 'alpha'));

interface Outcome {
  /** What the server learnt: who called, or the code under which it refused. */
  readonly server: string;
  /** What the client learnt: the protocol and the server's identity, or the error's code. */
  readonly client: string;
}

function identify(socket: TLSSocket): string {
  const { raw } = socket.getPeerCertificate();
  const found = identityFromCertificate(new Uint8Array(raw), 'north', NOW);
  return found.ok ? `${found.value.role}/${found.value.id}` : (found.error.code satisfies PkiErrorCode);
}

async function handshake(
  serverSide: Issued,
  clientSide: Issued | undefined,
  trusted = files.certificatePem,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let server = 'nothing';
    let client = 'nothing';
    const listener = createServer({
      key: serverSide.privateKeyPem,
      cert: serverSide.certificatePem,
      ca: files.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    });
    listener.on('secureConnection', (socket) => {
      server = identify(socket);
      socket.on('error', () => undefined);
      socket.end('hello');
    });
    listener.on('tlsClientError', (error: NodeJS.ErrnoException) => (server = error.code ?? error.message));
    onTestFinished(() => void listener.close());
    listener.listen(0, '127.0.0.1', () => {
      const socket = connect({
        port: (listener.address() as AddressInfo).port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: trusted,
        minVersion: 'TLSv1.3',
        ...(clientSide === undefined ? {} : { key: clientSide.privateKeyPem, cert: clientSide.certificatePem }),
      });
      // With TLS 1.3 a client learns of its refusal only after its own side of the handshake: wait for the close.
      socket.on('data', () => (client = `${socket.getProtocol() ?? ''} ${identify(socket)}`));
      socket.on('error', (error: NodeJS.ErrnoException) => (client = error.code ?? error.message));
      socket.on('close', () => {
        listener.close(() => {
          resolve({ server, client });
        });
      });
    });
  });
}

describe('mutual TLS 1.3 with issued certificates', () => {
  it('lets a silo and the coordinator recognise each other', async () => {
    expect(await handshake(coordinator, silo)).toEqual({
      server: 'silo/alpha',
      client: 'TLSv1.3 coordinator/coordinator',
    });
  });

  it('fails for a client of another authority', async () => {
    const foreign = await issueWithNewKey(stranger.authority, optionsFor('silo', 'alpha'));
    const outcome = await handshake(coordinator, foreign);
    expect(outcome.server).not.toContain('silo');
    expect(outcome.client).not.toContain('TLSv1.3');
  });

  it('fails for a client without a certificate', async () => {
    const outcome = await handshake(coordinator, undefined);
    expect(outcome.server).toBe('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
    expect(outcome.client).not.toContain('TLSv1.3');
  });

  it('fails for a server of another authority', async () => {
    const outcome = await handshake(coordinator, silo, stranger.files.certificatePem);
    expect(outcome.client).toMatch(
      /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED|CERT_SIGNATURE_FAILURE|UNABLE_TO_GET_ISSUER/,
    );
  });

  it('fails when a silo stands in for the coordinator', async () => {
    const outcome = await handshake(silo, silo);
    expect(outcome.client).toMatch(/INVALID_PURPOSE|ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  it('fails when the coordinator’s certificate dials in', async () => {
    expect((await handshake(coordinator, coordinator)).client).not.toContain('TLSv1.3');
  });

  it('fails for an expired client', async () => {
    const old = await issueWithNewKey(authority, optionsFor('silo', 'alpha', { now: unixMs(NOW - 2 * HOUR_MS) }));
    expect((await handshake(coordinator, old)).client).not.toContain('TLSv1.3');
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!openssl)('openssl', () => {
  const verify = (purpose: string, pem: string, ca: string): number | null => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ca.pem'), ca);
    writeFileSync(join(folder, 'leaf.pem'), pem);
    const args = [
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      '-CAfile',
      join(folder, 'ca.pem'),
      join(folder, 'leaf.pem'),
    ];
    return spawnSync('openssl', args).status;
  };

  it('accepts the certificates under its strict rules, each for its own side only', () => {
    expect(verify('sslclient', silo.certificatePem, files.certificatePem)).toBe(0);
    expect(verify('sslserver', coordinator.certificatePem, files.certificatePem)).toBe(0);
    expect(verify('sslserver', silo.certificatePem, files.certificatePem)).not.toBe(0);
    expect(verify('sslclient', coordinator.certificatePem, files.certificatePem)).not.toBe(0);
    expect(verify('sslclient', silo.certificatePem, stranger.files.certificatePem)).not.toBe(0);
  });
});
