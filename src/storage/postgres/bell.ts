// Tells a coordinator that another has committed something, so that nobody polls. A bell that is not heard does no harm: whoever waits looks
// again after a while, and after every connection that broke.

import type { Client } from 'pg';
import type { Database, Run } from './database.js';

export type Topic = 'journal' | 'request' | 'answer' | 'coordinator' | 'partial' | 'lease';

const LONGEST_WAIT_MS = 2_000;

export class Bell {
  readonly #database: Database;
  readonly #listeners = new Set<(topic: Topic | undefined) => void>();
  #client: Client | undefined;
  #closed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Connects, and again for ever. */
  async listen(): Promise<void> {
    for (let wait = 50; !this.#closed; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      let client: Client | undefined;
      try {
        client = await this.#database.connect();
        if (this.#isClosed()) {
          await client.end();
          return;
        }
        const heard = (this.#client = client);
        client.on('notification', ({ payload }) => {
          this.#ring(payload as Topic);
        });
        await client.query(`LISTEN ${channelOf(this.#database.schema)}`);
        client.on('end', () => {
          if (this.#client === heard) void this.listen();
        });
        // What was rung before is not heard.
        this.#ring(undefined);
        return;
      } catch {
        this.#client = undefined;
        void client?.end().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** `topic` is undefined when anything may have happened. Returns the way to stop. */
  on(listener: (topic: Topic | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Resolves when `topic` was rung, or after `ms`. */
  heard(topic: Topic, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const stop = this.on((rung) => {
        if (rung === undefined || rung === topic) done();
      });
      const timer = setTimeout(done, ms);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  #ring(topic: Topic | undefined): void {
    for (const listener of [...this.#listeners]) listener(topic);
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}

/** In a transaction, so that it rings when that commits. */
export async function ring(run: Run, schema: string, topic: Topic): Promise<void> {
  await run(`SELECT pg_notify($1, $2)`, [channelOf(schema), topic]);
}

export function channelOf(schema: string): string {
  return `veilsum_${schema}`;
}
