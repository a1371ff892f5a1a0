// Where the coordinators of one consortium meet: who lives and whom it serves, what others ask of the leader and what it answers, and the
// sums that each has made of the inputs it took. Bodies are sealed in their place, so that the database can neither read nor forge them.

import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { concat, utf8 } from '../../base/index.js';
import type { Sealer } from '../seal.js';
import { ring, type Bell } from './bell.js';
import type { Database } from './database.js';
import type { Lease } from './lease.js';

/** First bytes of places that no table of the journal has (place.ts). */
const REQUEST = 0x20;
const ANSWER = 0x21;
const PARTIAL = 0x22;

/** A row that was last written so long ago is of a coordinator that is gone. */
const STRANGER_MS = 3_600_000;
/** Answers that nobody has fetched. */
const FORGOTTEN_MS = 600_000;

export interface Attendant {
  readonly id: string;
  readonly silos: readonly string[];
}

export interface StoredPartial {
  readonly rid: Uint8Array;
  readonly attempt: number;
  readonly coordinator: string;
  readonly body: Uint8Array;
}

export interface AskedRequest {
  readonly id: string;
  readonly body: Uint8Array;
}

export class Meeting {
  readonly id: string;
  readonly #database: Database;
  readonly #lease: Lease;
  readonly #bell: Bell;
  readonly #sealer: Sealer;
  #silos: readonly string[] = [];

  constructor(database: Database, lease: Lease, bell: Bell, sealer: Sealer) {
    this.#database = database;
    this.#lease = lease;
    this.#bell = bell;
    this.#sealer = sealer;
    this.id = lease.holder;
  }

  /** This coordinator lives and has streams to these silos. */
  async attend(silos: readonly string[]): Promise<void> {
    this.#silos = silos;
    await this.#database.transaction(async (run) => {
      await run(
        `INSERT INTO coordinator VALUES ($1, clock_timestamp(), $2) ON CONFLICT (id)
         DO UPDATE SET heartbeat = clock_timestamp(), silos = EXCLUDED.silos`,
        [this.id, silos],
      );
      await ring(run, this.#database.schema, 'coordinator');
    });
  }

  /** As `attend` without news, and without ringing; tried once. Whose row was taken for a stranger's comes back with its silos. */
  async beat(): Promise<void> {
    await this.#database.once(
      `INSERT INTO coordinator VALUES ($1, clock_timestamp(), $2) ON CONFLICT (id)
       DO UPDATE SET heartbeat = clock_timestamp()`,
      [this.id, this.#silos],
    );
    await this.#database.once(
      `DELETE FROM coordinator WHERE heartbeat < clock_timestamp() - $1 * interval '1 millisecond'`,
      [STRANGER_MS],
    );
  }

  async leave(): Promise<void> {
    await this.#database.transaction(async (run) => {
      await run(`DELETE FROM coordinator WHERE id = $1`, [this.id]);
      await ring(run, this.#database.schema, 'coordinator');
    });
  }

  /** The others that have shown within `ms` that they live. */
  async others(ms: number): Promise<Attendant[]> {
    const { rows } = await this.#database.query<{ id: string; silos: string[] }>(
      `SELECT id, silos FROM coordinator WHERE id <> $1 AND heartbeat > clock_timestamp() - $2 * interval '1 millisecond'
       ORDER BY id`,
      [this.id, ms],
    );
    return rows;
  }

  /** Asks the leader; resolves with its answer, or undefined when none came within `ms`. */
  async ask(body: Uint8Array, ms: number): Promise<Uint8Array | undefined> {
    const id = randomUUID();
    const until = performance.now() + ms;
    await this.#database.transaction(async (run) => {
      await run(`INSERT INTO request (id, asked, body) VALUES ($1, clock_timestamp(), $2) ON CONFLICT DO NOTHING`, [
        id,
        this.#sealer.seal(placeOf(REQUEST, id), body),
      ]);
      await ring(run, this.#database.schema, 'request');
    });
    try {
      for (;;) {
        const heard = this.#bell.heard('answer', POLL_MS);
        const { rows } = await this.#database.query<{ answer: Buffer | null }>(
          `SELECT answer FROM request WHERE id = $1`,
          [id],
        );
        const answer = rows[0]?.answer ?? undefined;
        if (answer !== undefined) return this.#sealer.open(placeOf(ANSWER, id), answer);
        if (rows.length === 0 || performance.now() > until) return undefined;
        await heard;
      }
    } finally {
      void this.#database.query(`DELETE FROM request WHERE id = $1`, [id]).catch(() => undefined);
    }
  }

  /** For the leader: what has no answer yet, in the order it was asked. */
  async asked(): Promise<AskedRequest[]> {
    const { rows } = await this.#database.query<{ id: string; body: Buffer }>(
      `SELECT id, body FROM request WHERE answer IS NULL ORDER BY number LIMIT 256`,
    );
    return rows.map(({ id, body }) => ({ id, body: this.#sealer.open(placeOf(REQUEST, id), body) }));
  }

  /** Fenced: an answer that rests on an old state is none. */
  async answer(id: string, body: Uint8Array): Promise<void> {
    const sealed = this.#sealer.seal(placeOf(ANSWER, id), body);
    await this.#lease.fenced('answer', async (run) => {
      await run(`UPDATE request SET answer = $2 WHERE id = $1 AND answer IS NULL`, [id, sealed]);
      await run(`DELETE FROM request WHERE asked < clock_timestamp() - $1 * interval '1 millisecond'`, [FORGOTTEN_MS]);
      await ring(run, this.#database.schema, 'answer');
    });
  }

  /** What this coordinator has added up for an attempt. */
  async publishPartial(rid: Uint8Array, attempt: number, body: Uint8Array): Promise<void> {
    const sealed = this.#sealer.seal(partialPlace(rid, attempt, this.id), body);
    await this.#database.transaction(async (run) => {
      await run(
        `INSERT INTO partial VALUES ($1, $2, $3, $4) ON CONFLICT (rid, attempt, coordinator)
         DO UPDATE SET body = EXCLUDED.body`,
        [rid, attempt, this.id, sealed],
      );
      await ring(run, this.#database.schema, 'partial');
    });
  }

  /** By who made it. */
  async partials(rid: Uint8Array, attempt: number): Promise<Map<string, Uint8Array>> {
    const { rows } = await this.#database.query<{ coordinator: string; body: Buffer }>(
      `SELECT coordinator, body FROM partial WHERE rid = $1 AND attempt = $2`,
      [rid, attempt],
    );
    return new Map(
      rows.map(({ coordinator, body }) => [
        coordinator,
        this.#sealer.open(partialPlace(rid, attempt, coordinator), body),
      ]),
    );
  }

  async allPartials(): Promise<StoredPartial[]> {
    const { rows } = await this.#database.query<{ rid: Buffer; attempt: number; coordinator: string; body: Buffer }>(
      `SELECT rid, attempt, coordinator, body FROM partial`,
    );
    return rows.map(({ rid, attempt, coordinator, body }) => ({
      rid: new Uint8Array(rid),
      attempt,
      coordinator,
      body: this.#sealer.open(partialPlace(rid, attempt, coordinator), body),
    }));
  }

  async dropPartial(rid: Uint8Array, attempt: number, coordinator: string): Promise<void> {
    await this.#database.query(`DELETE FROM partial WHERE rid = $1 AND attempt = $2 AND coordinator = $3`, [
      rid,
      attempt,
      coordinator,
    ]);
  }
}

/** How long somebody who waits believes that a bell would have been heard. */
const POLL_MS = 500;

function placeOf(kind: number, id: string): Uint8Array {
  return concat(Uint8Array.of(kind), utf8(id));
}

function partialPlace(rid: Uint8Array, attempt: number, coordinator: string): Uint8Array {
  return concat(Uint8Array.of(PARTIAL), rid, utf8(`.${String(attempt)}.${coordinator}`));
}
