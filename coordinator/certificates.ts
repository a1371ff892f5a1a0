// Certificates as the coordinator meets them: the transparency log says once that one came into use, and once that it is revoked. Who may
// call is decided elsewhere, by the certificate itself on every call.

import { fromHex, LIMITS, type Clock } from '../src/base/index.js';
import type { PeerIdentity, Revocations } from '../src/pki/index.js';
import type { SmallTable } from '../src/storage/index.js';
import { CertificateSeen, decode, encode } from '../src/wire/index.js';
import type { NotedAct } from './admin/index.js';

const PREFIX = 'certificate/';
/** Hexadecimal digits of a digest that a key of the table has. */
const KEY_DIGITS = 40;

export interface CertificateBookOptions {
  /** Shared by the coordinators of one database. */
  readonly table: SmallTable;
  readonly clock: Clock;
  /** Resolves when the act stands in the log. */
  readonly note: (act: NotedAct) => Promise<void>;
}

export class CertificateBook {
  readonly #options: CertificateBookOptions;
  readonly #seen = new Map<string, CertificateSeen>();
  /** One after the other, so that none is told twice. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(options: CertificateBookOptions) {
    this.#options = options;
  }

  /** Forgets what has expired: it can neither be used nor revoked any more. */
  static async open(options: CertificateBookOptions): Promise<CertificateBook> {
    const book = new CertificateBook(options);
    const { table, clock } = options;
    for (const key of table.keys(PREFIX)) {
      const bytes = table.get(key);
      if (bytes === undefined) continue;
      const seen = decode(CertificateSeen, 'certificate', bytes, LIMITS.envelopePayloadBytes);
      if (seen.notAfterUnixMs < BigInt(clock.now())) await table.delete(key);
      else book.#seen.set(key, seen);
    }
    return book;
  }

  /** A member has shown this one. Resolves when the log says so; at once when it did before. */
  met({ role, id, serial, fingerprint, notAfter }: PeerIdentity): Promise<void> {
    const key = keyOf(fingerprint);
    return this.#next(async () => {
      // Another coordinator may have met it.
      if (this.#seen.has(key) || this.#options.table.get(key) !== undefined || role === 'coordinator') return;
      const sha256 = fromHex(fingerprint) ?? new Uint8Array();
      const seen = {
        subject: `${role}/${id}`,
        serial,
        sha256,
        notAfterUnixMs: BigInt(notAfter),
        revoked: false,
      };
      await this.#tell('certificate-issued', seen);
      await this.#keep(key, seen);
    });
  }

  /** The list of revocations is this one now. */
  revoked(list: Revocations): Promise<void> {
    return this.#next(async () => {
      for (const [key, seen] of this.#seen) {
        if (seen.revoked || !list.isRevoked(seen.serial)) continue;
        await this.#tell('certificate-revoked', seen);
        await this.#keep(key, { ...seen, revoked: true });
      }
    });
  }

  #tell(entry: 'certificate-issued' | 'certificate-revoked', { subject, sha256 }: CertificateSeen): Promise<void> {
    return this.#options.note({ entry, subject, jobId: '', action: '', objects: [sha256] });
  }

  async #keep(key: string, seen: CertificateSeen): Promise<void> {
    await this.#options.table.put(key, encode(CertificateSeen, seen));
    this.#seen.set(key, seen);
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function keyOf(fingerprint: string): string {
  return `${PREFIX}${fingerprint.slice(0, KEY_DIGITS)}`;
}
