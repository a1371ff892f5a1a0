// What an enrolment leaves on the disk, in an order in which the configuration, without which nothing starts, comes last.

import { existsSync } from 'node:fs';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { asSiloId, equalBytes, utf8 } from '../../src/base/index.js';
import { readAgentConfig } from '../../src/config/index.js';
import { SigningKey } from '../../src/crypto/index.js';
import { EnrolmentError } from '../../src/enrolment/index.js';
import {
  certificatesIn,
  type CertificateRequest,
  identityFromCertificate,
  PkiError,
  readSigningKey,
  writeBundle,
} from '../../src/pki/index.js';
import { type Roster, siloSigner } from '../../src/protocol/index.js';
import { removeDurably, SystemError, systemClock, writeFileDurably } from '../../src/system/index.js';
import { configurationText, type ConfigurationParts } from './configuration.js';
import type { AgentFolder } from './folder.js';

/** The protocol key, which was made long before: the roster names it. Throws EnrolmentError `enrolment/no-protocol-key`. */
export async function protocolKey(folder: AgentFolder): Promise<SigningKey> {
  if (!existsSync(folder.signingKey))
    throw new EnrolmentError(
      'enrolment/no-protocol-key',
      `the key of this silo would be ${folder.signingKey}, and there is none: perhaps the folder is another silo’s.`,
    );
  const { seed } = await readSigningKey(folder.signingKey);
  return SigningKey.from(seed);
}

export interface Issued {
  /** The certificate, then its issuers. */
  readonly chainPem: string;
  readonly authoritiesPem: string;
  readonly rosterBytes: Uint8Array;
  readonly roster: Roster;
  readonly made: CertificateRequest;
}

/** Throws PkiError, EnrolmentError, SystemError; a crash leaves nothing that starts. */
export async function install(
  folder: AgentFolder,
  parts: Omit<ConfigurationParts, 'cosigning' | 'rosterHash'>,
  issued: Issued,
): Promise<void> {
  const { made, roster } = issued;
  const silo = asSiloId(parts.silo);
  const named = silo === undefined ? undefined : roster.keyOf(siloSigner(silo));
  const key = await protocolKey(folder);
  if (named === undefined || !equalBytes(named, key.publicKey))
    throw new EnrolmentError(
      'enrolment/not-in-roster',
      `the roster does not name the key in ${folder.signingKey} for ${parts.silo}.`,
    );
  const [certificatePem, ...issuers] = certificatesIn(issued.chainPem);
  if (certificatePem === undefined) throw new PkiError('pki/unreadable', 'there is no certificate in the answer');
  requireOwn(certificatePem, parts);
  if (!new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(made.privateKeyPem)))
    throw new PkiError('pki/key-mismatch', `the certificate is for another key than the one in ${folder.pending}`);
  const chain = withRoot([certificatePem, ...issuers], certificatesIn(issued.authoritiesPem));
  await writeFileDurably(folder.authorities, utf8(issued.authoritiesPem));
  await writeFileDurably(folder.roster, issued.rosterBytes);
  await writeBundle(
    folder.bundle,
    { certificatePem, authorityPem: chain.slice(1).join(''), privateKeyPem: made.privateKeyPem },
    { replace: true },
  );
  const text = configurationText(
    { ...parts, rosterHash: roster.hash, cosigning: existsSync(folder.cosigningKey) },
    folder,
  );
  await writeFileDurably(folder.config, utf8(text), { replace: false });
  await readAgentConfig(folder.config);
  await removeDurably(folder.pending);
}

/** Refused before anything is asked for: an enrolled agent renews, it does not enrol again. */
export function refuseEnrolled(folder: AgentFolder): void {
  if (existsSync(folder.config))
    throw new SystemError('system/exists', `${folder.config} is already there: this folder is enrolled`, {
      remedy: 'Choose another folder, or move this one away if the agent is to be enrolled anew.',
    });
}

function requireOwn(
  certificatePem: string,
  { consortium, silo }: { readonly consortium: string; readonly silo: string },
): void {
  const found = identityFromCertificate(new X509Certificate(certificatePem).raw, consortium, systemClock.now());
  if (!found.ok) throw found.error;
  if (found.value.role !== 'silo' || found.value.id !== silo)
    throw new PkiError('pki/other-member', `the certificate is ${found.value.uri}’s, not that of silo ${silo}`);
}

/** A chain ends with an authority that signs itself; many authorities leave that one out of their answers. */
function withRoot(chain: readonly string[], authorities: readonly string[]): readonly string[] {
  const last = new X509Certificate(chain.at(-1) ?? '');
  if (last.checkIssued(last)) return chain;
  const root = authorities.find((pem) => last.checkIssued(new X509Certificate(pem)));
  if (root === undefined)
    throw new PkiError(
      'pki/not-an-authority',
      'none of the authorities that were given has signed the end of the chain',
    );
  return [...chain, root];
}
