// A line between an agent and its coordinator that can go wrong in the ways lines do. TLS passes through: the line sees bytes only.

import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export type LineState =
  /** Everything passes. */
  | { readonly kind: 'good' }
  /** Nothing passes and nobody is told: what a firewall does that has forgotten a connection, or a far end that lost its power. */
  | { readonly kind: 'silent' }
  /** Connections are refused. */
  | { readonly kind: 'down' }
  /** So many bytes a second, each way and connection. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

const TICK_MS = 100;

interface Way {
  readonly from: Socket;
  readonly to: Socket;
  held: Buffer[];
}

export class BadLine {
  readonly #server: Server;
  readonly #ways = new Set<Way>();
  readonly #sockets = new Set<Socket>();
  #state: LineState = { kind: 'good' };
  #timer: NodeJS.Timeout;
  #connections = 0;

  private constructor(port: () => number) {
    this.#server = createServer({ allowHalfOpen: true }, (outer) => {
      this.#connections++;
      if (this.#state.kind === 'down') {
        outer.resetAndDestroy();
        return;
      }
      const inner = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
      this.#join(outer, inner);
      this.#join(inner, outer);
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

  get connections(): number {
    return this.#connections;
  }

  set(state: LineState): void {
    this.#state = state;
    if (state.kind === 'down') this.reset();
    if (state.kind === 'good') for (const way of this.#ways) pass(way, Number.POSITIVE_INFINITY);
  }

  /** New connections are good; those there are stay as they are, for ever silent. */
  forget(): void {
    this.#ways.clear();
    this.#state = { kind: 'good' };
  }

  /** Every connection ends by RST, as after a reboot. */
  reset(): void {
    for (const { from } of this.#ways) from.resetAndDestroy();
  }

  /** The ends towards agents are closed for writing and go on hearing: half of each connection is gone. */
  halfClose(): void {
    for (const { to } of this.#ways) to.end();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #join(from: Socket, to: Socket): void {
    const way: Way = { from, to, held: [] };
    this.#ways.add(way);
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (data) => {
      way.held.push(data);
      if (this.#state.kind === 'good' && this.#ways.has(way)) pass(way, Number.POSITIVE_INFINITY);
    });
    from.on('end', () => to.end());
    from.on('close', () => {
      this.#ways.delete(way);
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

function pass(way: Way, bytes: number): void {
  let left = bytes;
  while (left > 0) {
    const [first] = way.held;
    if (first === undefined) return;
    const piece = first.subarray(0, Math.min(first.length, left));
    if (piece.length === first.length) way.held.shift();
    else way.held[0] = first.subarray(piece.length);
    left -= piece.length;
    if (way.to.writable) way.to.write(piece);
  }
}
