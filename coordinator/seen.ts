// When each silo was last there and what it came with: for people, over restarts. Nothing depends on it.

import { asSiloId, LIMITS, unixMs, type Clock, type SiloId } from '../src/base/index.js';
import type { SmallTable } from '../src/storage/index.js';
import type { CallerCertificate } from '../src/transport/index.js';
import { decode, encode, Silo } from '../src/wire/index.js';
import type { SiloSeen } from './admin/index.js';

const PREFIX = 'seen/';
/** Characters of a version that are kept: an agent says what it likes. */
const VERSION_CHARACTERS = 40;

export class SeenBook {
  readonly #seen = new Map<SiloId, SiloSeen>();
  readonly #journal: SmallTable;
  readonly #clock: Clock;

  constructor(journal: SmallTable, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
    this.reload();
  }

  /** Reads what other coordinators have seen. */
  reload(): void {
    for (const key of this.#journal.keys(PREFIX)) this.#load(key);
  }

  #load(key: string): void {
    const silo = asSiloId(key.slice(PREFIX.length));
    const bytes = this.#journal.get(key);
    if (silo === undefined || bytes === undefined) return;
    const kept = decode(Silo, 'last sight of a silo', bytes, LIMITS.envelopePayloadBytes);
    this.#seen.set(silo, {
      at: unixMs(Number(kept.lastSeenUnixMs)),
      agentVersion: kept.agentVersion,
      certificateNotAfter: unixMs(Number(kept.certificateNotAfterUnixMs)),
      certificateSerial: kept.certificateSerial,
    });
  }

  /** It has come. Resolves when that is durable. */
  came(silo: SiloId, agentVersion: string, { notAfter, serial }: CallerCertificate): Promise<unknown> {
    return this.#keep(silo, {
      at: this.#clock.now(),
      agentVersion: agentVersion.slice(0, VERSION_CHARACTERS),
      certificateNotAfter: notAfter,
      certificateSerial: serial,
    });
  }

  /** It has left, just now. */
  left(silo: SiloId): Promise<unknown> {
    const seen = this.#seen.get(silo);
    return seen === undefined ? Promise.resolve() : this.#keep(silo, { ...seen, at: this.#clock.now() });
  }

  of(silo: SiloId): SiloSeen | undefined {
    return this.#seen.get(silo);
  }

  #keep(silo: SiloId, seen: SiloSeen): Promise<unknown> {
    this.#seen.set(silo, seen);
    const kept = {
      ...Silo.decode(new Uint8Array()),
      siloId: silo,
      lastSeenUnixMs: BigInt(seen.at),
      agentVersion: seen.agentVersion,
      certificateNotAfterUnixMs: BigInt(seen.certificateNotAfter),
      certificateSerial: seen.certificateSerial,
    };
    return this.#journal.put(`${PREFIX}${silo}`, encode(Silo, kept));
  }
}
