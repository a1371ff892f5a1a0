// A member's TLS material from the two files that a configuration names: taken again when either is renewed.

import { systemClock } from '../system/index.js';
import { AuthoritiesFile } from './authorities-file.js';
import { type Bundle, BundleFile } from './bundle.js';
import { PkiError } from './errors.js';
import { inspectCertificate } from './inspect.js';
import type { RefreshedFile } from './renewal.js';

export interface TlsPaths {
  /** Own certificate chain and key. */
  readonly bundle: string;
  /** The authorities that the other side's certificate is checked against. */
  readonly ca: string;
}

export interface TlsTexts {
  readonly chainPem: string;
  readonly authorityPem: string;
  /** Secret. */
  readonly privateKeyPem: string;
}

export class TlsFiles implements RefreshedFile {
  readonly #bundle: BundleFile;
  readonly #authorities: AuthoritiesFile;

  private constructor(bundle: BundleFile, authorities: AuthoritiesFile) {
    this.#bundle = bundle;
    this.#authorities = authorities;
  }

  /** Throws PkiError, SystemError. */
  static async open(paths: TlsPaths): Promise<TlsFiles> {
    const authorities = await AuthoritiesFile.open(paths.ca);
    return new TlsFiles(await BundleFile.open(paths.bundle), authorities);
  }

  get current(): TlsTexts {
    const { chainPem, privateKeyPem } = this.#bundle.current;
    return { chainPem, privateKeyPem, authorityPem: this.#authorities.current };
  }

  /** Own certificate, without those above it. */
  get leafPem(): string {
    return this.#bundle.current.leafPem;
  }

  /** A file that cannot be used does not keep the other from being taken; it is thrown at the next look, when nothing else changed. */
  async refresh(): Promise<boolean> {
    const looks = await Promise.allSettled([this.#authorities.refresh(), this.#bundle.refresh(requireSuccessor)]);
    if (looks.some((look) => look.status === 'fulfilled' && look.value)) return true;
    for (const look of looks) if (look.status === 'rejected') throw look.reason;
    return false;
  }
}

/** A bundle of somebody else, or one that has ended, is a mistake of whoever put it there. */
function requireSuccessor(current: Bundle, next: Bundle): void {
  const [before, after] = [inspectCertificate(current.leafPem), inspectCertificate(next.leafPem)];
  const uri = (names: readonly string[]): string => names.filter((name) => name.startsWith('URI:')).join(', ');
  if (uri(before.names) !== uri(after.names))
    throw new PkiError(
      'pki/other-member',
      `the new bundle is of ${uri(after.names)}, the one in use of ${uri(before.names)}`,
    );
  if (after.notAfter < systemClock.now())
    throw new PkiError('pki/expired', `the certificate ${after.serial} in the new bundle has ended`);
}

/** The material as it is now, for a program that soon ends. */
export async function readTlsFiles(paths: TlsPaths): Promise<TlsTexts> {
  return (await TlsFiles.open(paths)).current;
}
