// The agent as a witness of the transparency log: it reads every entry up to a checkpoint it is shown, one reading after the other, and
// hands what it found to the state machine, which cosigns.

import { LogReading, type SiloEvent, type SiloState } from '../src/protocol/index.js';
import type { SiloClient } from '../src/transport/index.js';
import type { Directive } from '../src/wire/index.js';

export interface WitnessSite {
  readonly client: Pick<SiloClient, 'readLog' | 'proveLog'>;
  /** Aborts when the agent stops. */
  readonly signal: AbortSignal;
  state(): SiloState;
  feed(event: SiloEvent): Promise<unknown>;
}

export class Witness {
  readonly #site: WitnessSite;
  #last: Promise<void> = Promise.resolve();

  constructor(site: WitnessSite) {
    this.#site = site;
  }

  /** Reads the log up to the checkpoint of this note. Throws Refusal `log/…`, TransportError. */
  read(note: Uint8Array): Promise<void> {
    const turn = this.#last.then(() => this.#read(note));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #read(note: Uint8Array): Promise<void> {
    const { client, signal } = this.#site;
    const reading = new LogReading(this.#site.state(), note);
    if (!reading.isKnown)
      for await (const entry of client.readLog(reading.from, reading.checkpoint.size, signal)) reading.add(entry);
    if (reading.wantsProof) reading.prove(await client.proveLog(reading.checkpoint.size, reading.from, signal));
    await this.#site.feed({ $case: 'checkpointRead', value: reading.finish() });
  }
}

/** The checkpoint that a directive rests on or is about; undefined for most. */
export function noteIn({ body }: Directive): Uint8Array | undefined {
  if (body?.$case === 'checkpoint') return body.value.note;
  if (body?.$case !== 'start' && body?.$case !== 'result' && body?.$case !== 'abandon') return undefined;
  return body.value.checkpoint.length === 0 ? undefined : body.value.checkpoint;
}
