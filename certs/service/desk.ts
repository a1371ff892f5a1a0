// What the authority's service decides: who gets a certificate. HTTP is in server.ts.

import { createHash, X509Certificate } from 'node:crypto';
import type { Clock, Rng } from '../../src/base/index.js';
import { LIMITS } from '../../src/base/index.js';
import { checkProof, EnrolmentError, tokenHash } from '../../src/enrolment/index.js';
import type { Identity, IssueOptions } from '../../src/pki/index.js';
import {
  checkPeerNow,
  checkRequest,
  identityFromCertificate,
  issueForKey,
  RevocationFile,
} from '../../src/pki/index.js';
import type { Roster } from '../../src/protocol/index.js';
import { CertificateAnswer, decode, encode, EnrolRequest, RenewRequest } from '../../src/wire/index.js';
import { loadAuthority, noteIssued, revokedPath, trustedPem } from '../commands/authority-folder.js';
import { isBarred } from './barred.js';
import { TokenBook } from './tokens.js';

/** Bytes of a request: an envelope around a certificate request. */
export const REQUEST_BYTES = LIMITS.certificateBytes + 4096;

export interface DeskOptions {
  readonly consortium: string;
  /** The authority's. */
  readonly folder: string;
  /** The one in force, read anew for each request: whoever was removed gets nothing from then on. */
  readonly roster: () => Promise<Roster>;
  readonly lifetimeMs: number;
  readonly clock: Clock;
  readonly rng: Rng;
}

export interface Handed {
  readonly identity: Identity;
  readonly answer: Uint8Array;
}

export class Desk {
  readonly #options: DeskOptions;
  readonly #tokens: TokenBook;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#tokens = new TokenBook(options.folder);
  }

  /** Throws EnrolmentError, PkiError, WireError. The token is used up only when everything else is in order. */
  async enrol(body: Uint8Array): Promise<Handed> {
    const { secret, request } = decode(EnrolRequest, 'enrolment', body, REQUEST_BYTES);
    const { consortium, clock } = this.#options;
    const roster = await this.#options.roster();
    const identity = await this.#tokens.ownerOf(secret, clock.now());
    await this.#refuseBarred(identity);
    const proven = checkProof(roster, request, { consortium, identity, basis: tokenHash(secret) });
    const { publicKey } = await checkRequest(proven);
    const keyHash = createHash('sha256').update(new Uint8Array(publicKey.rawData)).digest('hex');
    await this.#tokens.use(secret, keyHash, clock.now());
    return { identity, answer: await this.#issue(publicKey, roster, { identity }) };
  }

  /** `certificate`: DER, of the connection; TLS has checked that an authority of this consortium signed it. */
  async renew(body: Uint8Array, certificate: Uint8Array): Promise<Handed> {
    const { request } = decode(RenewRequest, 'renewal', body, REQUEST_BYTES);
    const { consortium, folder, clock } = this.#options;
    const roster = await this.#options.roster();
    const now = clock.now();
    const peer = identityFromCertificate(certificate, consortium, now);
    if (!peer.ok) throw new EnrolmentError('enrolment/no-certificate', peer.error.describe());
    const refusal = checkPeerNow(peer.value, now, await RevocationFile.open(revokedPath(folder)));
    if (refusal !== undefined) throw new EnrolmentError('enrolment/no-certificate', refusal.describe());
    const { role, id } = peer.value;
    const identity: Identity = { role, id };
    await this.#refuseBarred(identity);
    const basis = createHash('sha256').update(certificate).digest();
    const proven = checkProof(roster, request, { consortium, identity, basis });
    const { publicKey } = await checkRequest(proven);
    return { identity, answer: await this.#issue(publicKey, roster, { identity, ...hostsOf(certificate) }) };
  }

  async #refuseBarred(identity: Identity): Promise<void> {
    if (await isBarred(this.#options.folder, identity))
      throw new EnrolmentError('enrolment/barred', `${identity.role} ${identity.id} is barred.`);
  }

  async #issue(
    publicKey: Parameters<typeof issueForKey>[1],
    roster: Roster,
    wanted: Pick<IssueOptions, 'identity' | 'dnsNames' | 'ipAddresses'>,
  ): Promise<Uint8Array> {
    const { folder, lifetimeMs, clock, rng } = this.#options;
    const authority = await loadAuthority(folder);
    const certificatePem = await issueForKey(authority, publicKey, { ...wanted, lifetimeMs, now: clock.now(), rng });
    await noteIssued(folder, certificatePem);
    return encode(CertificateAnswer, {
      chainPem: `${certificatePem.trim()}\n${authority.certificate.toString('pem').trim()}\n`,
      authoritiesPem: await trustedPem(folder),
      roster: roster.payload,
    });
  }
}

/** The coordinator's names go from its old certificate into the new one. */
function hostsOf(der: Uint8Array): Pick<IssueOptions, 'dnsNames' | 'ipAddresses'> {
  const names = (new X509Certificate(der).subjectAltName ?? '').split(', ');
  const of = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return { dnsNames: of('DNS:'), ipAddresses: of('IP Address:') };
}
