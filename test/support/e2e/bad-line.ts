// A line between an agent and its coordinator that can go wrong in the ways lines do. TLS passes through: the line sees bytes only.

import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** From the agent to the coordinator, or back. */
export type Direction = 'up' | 'down';

export type LineState =
  /** Everything passes. */
  | { readonly kind: 'good' }
  /**
   * Bytes are accepted and go nowhere, and nobody is told of an end: what a firewall does that has forgotten a connection, or a far end
   * that lost its power. With `only`, half of the line is dead and the other half works.
   */
  | { readonly kind: 'silent'; readonly only?: Direction }
  /** Connections are refused. */
  | { readonly kind: 'down' }
  /** So many bytes a second, each way and connection. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

const TICK_MS = 100;

interface Way {
  readonly direction: Direction;
  readonly from: Socket;
  readonly to: Socket;
  held: Buffer[];
  /** What `to` is to be told when everything before has passed. */
  ending: 'end' | 'close' | undefined;
  /** Nothing passes any more, whatever becomes of the line. */
  dead: boolean;
}

export class BadLine {
  readonly #server: Server;
  readonly #ways = new Set<Way>();
  readonly #sockets = new Set<Socket>();
  #state: LineState = { kind: 'good' };
  readonly #timer: NodeJS.Timeout;
  #connections = 0;
  #sent = 0;
  #resetAt = Number.POSITIVE_INFINITY;

  private constructor(port: () => number) {
    this.#server = createServer({ allowHalfOpen: true }, (outer) => {
      this.#connections++;
      if (this.#state.kind === 'down') {
        outer.on('error', () => undefined);
        outer.resetAndDestroy();
        return;
      }
      const inner = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
      this.#join('up', outer, inner);
      this.#join('down', inner, outer);
    });
    let ticks = 0;
    this.#timer = setInterval(() => {
      if (this.#state.kind !== 'slow') return;
      ticks++;
      const { bytesPerSecond } = this.#state;
      const perTick = Math.floor((bytesPerSecond * TICK_MS) / 1000);
      const allowance = perTick > 0 ? perTick : ticks % Math.ceil(1000 / TICK_MS / bytesPerSecond) === 0 ? 1 : 0;
      for (const way of this.#ways) pass(way, allowance);
    }, TICK_MS);
  }

  /** `port` is asked for with each connection. */
  static async to(port: () => number): Promise<{ line: BadLine; port: number }> {
    const line = new BadLine(port);
    await new Promise<void>((resolve) => {
      line.#server.listen(0, '127.0.0.1', resolve);
    });
    const bound = line.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the line has no port');
    return { line, port: bound.port };
  }

  /** Connections made so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Bytes that the agent's side has sent so far. */
  get sent(): number {
    return this.#sent;
  }

  set(state: LineState): void {
    this.#state = state;
    if (state.kind === 'down') this.reset();
    for (const way of this.#ways) if (this.#isOpen(way)) pass(way, Number.POSITIVE_INFINITY);
  }

  /** New connections are good; those there are stay dead for ever, wholly or in one direction, and nobody is told. */
  forget(only?: Direction): void {
    for (const way of this.#ways) if (only === undefined || way.direction === only) way.dead = true;
    this.set({ kind: 'good' });
  }

  /** Every connection ends by RST, as after a reboot. */
  reset(): void {
    for (const { from } of this.#ways) from.resetAndDestroy();
  }

  /** Every connection ends in order, wherever it stands. */
  cut(): void {
    for (const { from } of this.#ways) from.destroy();
  }

  /** Resets every connection once, when the agent's side has sent this many more bytes. */
  resetAfter(bytes: number): void {
    this.#resetAt = this.#sent + bytes;
  }

  /** Whether `resetAfter` still waits for its bytes. */
  get willReset(): boolean {
    return this.#resetAt !== Number.POSITIVE_INFINITY;
  }

  /** The ends towards each side are closed for writing and go on hearing: half of each connection is gone. */
  halfClose(): void {
    for (const { to } of this.#ways) to.end();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #isOpen(way: Way): boolean {
    if (way.dead) return false;
    const { kind } = this.#state;
    return (
      kind === 'good' || (kind === 'silent' && this.#state.only !== undefined && this.#state.only !== way.direction)
    );
  }

  #join(direction: Direction, from: Socket, to: Socket): void {
    const way: Way = { direction, from, to, held: [], ending: undefined, dead: false };
    this.#ways.add(way);
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (data) => {
      if (direction === 'up') this.#sent += data.length;
      if (this.#sent >= this.#resetAt) {
        this.#resetAt = Number.POSITIVE_INFINITY;
        this.reset();
        return;
      }
      way.held.push(data);
      if (this.#isOpen(way)) pass(way, Number.POSITIVE_INFINITY);
    });
    const ends = (ending: 'end' | 'close'): void => {
      way.ending = ending;
      // An end that the line makes itself is heard at once; what the far side ends is heard as far as the line carries.
      if (this.#isOpen(way) || this.#state.kind === 'down') pass(way, Number.POSITIVE_INFINITY);
    };
    from.on('end', () => {
      ends('end');
    });
    from.on('close', () => {
      this.#sockets.delete(from);
      ends('close');
    });
    to.on('close', () => this.#ways.delete(way));
  }
}

function pass(way: Way, bytes: number): void {
  let left = bytes;
  while (left > 0) {
    const [first] = way.held;
    if (first === undefined) break;
    const piece = first.subarray(0, Math.min(first.length, left));
    if (piece.length === first.length) way.held.shift();
    else way.held[0] = first.subarray(piece.length);
    left -= piece.length;
    if (way.to.writable) way.to.write(piece);
  }
  if (way.held.length > 0 || way.ending === undefined) return;
  if (way.ending === 'end') way.to.end();
  else way.to.destroy();
}
