// A member's TLS material from the two files that a configuration names: taken again when the bundle is renewed.

import { fromUtf8, LIMITS } from '../base/index.js';
import { readSmallFile } from '../system/index.js';
import { BundleFile } from './bundle.js';
import type { RefreshedFile } from './renewal.js';

export interface TlsPaths {
  /** Own certificate chain and key. */
  readonly bundle: string;
  /** The consortium's authority, which the other side's certificate is checked against. */
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
  readonly #authorityPem: string;

  private constructor(bundle: BundleFile, authorityPem: string) {
    this.#bundle = bundle;
    this.#authorityPem = authorityPem;
  }

  /** Throws PkiError, SystemError. */
  static async open(paths: TlsPaths): Promise<TlsFiles> {
    const authorityPem = fromUtf8(await readSmallFile(paths.ca, LIMITS.certificateBytes));
    return new TlsFiles(await BundleFile.open(paths.bundle), authorityPem);
  }

  get current(): TlsTexts {
    const { chainPem, privateKeyPem } = this.#bundle.current;
    return { chainPem, privateKeyPem, authorityPem: this.#authorityPem };
  }

  refresh(): Promise<boolean> {
    return this.#bundle.refresh();
  }
}

/** The material as it is now, for a program that soon ends. */
export async function readTlsFiles(paths: TlsPaths): Promise<TlsTexts> {
  return (await TlsFiles.open(paths)).current;
}
