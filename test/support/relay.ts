// A TCP relay between a caller and a coordinator that can cut every connection, or hold back what the coordinator says.

import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Relay {
  readonly address: string;
  /** Bytes that callers have sent, in all. */
  readonly sent: () => number;
  /** Connections made so far. */
  readonly connections: () => number;
  /** Breaks all connections; new ones work. */
  cut(): void;
  /** From now on the coordinator is heard only after `release`. */
  hold(): void;
  release(): void;
  /** Cuts once, when callers have sent this many more bytes. */
  cutAfter(bytes: number): void;
}

export async function relayTo(port: number): Promise<Relay> {
  const pairs = new Set<{ inner: Socket; outer: Socket }>();
  let sent = 0;
  let connections = 0;
  let held = false;
  let cutAt = Number.POSITIVE_INFINITY;
  const cut = (): void => {
    for (const { inner, outer } of pairs) {
      inner.destroy();
      outer.destroy();
    }
    pairs.clear();
  };
  const server = createServer((outer) => {
    connections += 1;
    const inner = connect(port, '127.0.0.1');
    const pair = { inner, outer };
    pairs.add(pair);
    for (const socket of [inner, outer]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        inner.destroy();
        outer.destroy();
        pairs.delete(pair);
      });
    }
    outer.on('data', (data) => {
      sent += data.length;
      if (sent >= cutAt) {
        cutAt = Number.POSITIVE_INFINITY;
        cut();
        return;
      }
      if (!inner.write(data)) {
        outer.pause();
        inner.once('drain', () => outer.resume());
      }
    });
    inner.on('data', (data) => {
      outer.write(data);
    });
    if (held) inner.pause();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    cut();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the relay has no port');
  return {
    address: `127.0.0.1:${bound.port}`,
    sent: () => sent,
    connections: () => connections,
    cut,
    hold: () => {
      held = true;
      for (const { inner } of pairs) inner.pause();
    },
    release: () => {
      held = false;
      for (const { inner } of pairs) inner.resume();
    },
    cutAfter: (bytes) => {
      cutAt = sent + bytes;
    },
  };
}
