// From a connection's certificate to the member at its other end. Reading a certificate costs more than a small call, so what it says is
// remembered; its dates and its revocation are asked again every time.

import type { PeerCertificate } from 'node:tls';
import type { Clock } from '../base/index.js';
import { CodedError } from '../base/index.js';
import type { PeerIdentity, PkiError, Revocations } from '../pki/index.js';
import { checkPeerNow, identityFromCertificate } from '../pki/index.js';
import { TransportError } from './errors.js';

/** Certificates remembered: more than connections there can be, so that a flood only costs reading them again. */
const REMEMBERED = 1024;

export class Peers {
  readonly #consortium: string;
  readonly #clock: Clock;
  readonly #revocations: Revocations | undefined;
  readonly #onNew: (peer: PeerIdentity) => void;
  readonly #known = new Map<string, PeerIdentity>();

  /** `onNew`: a valid certificate was shown that is not among those remembered. */
  constructor(
    consortium: string,
    clock: Clock,
    revocations: Revocations | undefined,
    onNew: (peer: PeerIdentity) => void = () => undefined,
  ) {
    this.#onNew = onNew;
    this.#consortium = consortium;
    this.#clock = clock;
    this.#revocations = revocations;
  }

  /** Who shows this certificate. Throws a CodedError of category identity when it is nobody, or nobody any more. */
  identify(certificate: PeerCertificate | undefined): PeerIdentity {
    if (certificate === undefined)
      throw new TransportError('transport/no-certificate', 'the connection has no certificate.');
    const known = this.#known.get(certificate.fingerprint256);
    if (known !== undefined) {
      this.check(known);
      return known;
    }
    const read = identityFromCertificate(certificate.raw, this.#consortium, this.#clock.now());
    if (!read.ok) throw refusal(read.error);
    this.check(read.value);
    this.#remember(certificate.fingerprint256, read.value);
    this.#onNew(read.value);
    return read.value;
  }

  /** What can change while a call lives. Throws like `identify`. */
  check(peer: PeerIdentity): void {
    const error = checkPeerNow(peer, this.#clock.now(), this.#revocations);
    if (error !== undefined) throw refusal(error);
  }

  #remember(fingerprint: string, peer: PeerIdentity): void {
    if (this.#known.size >= REMEMBERED) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(fingerprint, peer);
  }
}

/** The same code, said to a peer: whatever is wrong with its certificate, to us it is nobody. */
function refusal(error: PkiError): CodedError {
  return new CodedError(error.code, error.message, {
    category: 'identity',
    remedy: error.remedy ?? 'Use a valid certificate that the consortium’s authority issued for this role.',
  });
}
