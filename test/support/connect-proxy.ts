// An HTTP proxy that knows CONNECT and nothing else, as hospitals have one.

import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ConnectProxy {
  readonly address: string;
  /** What was asked for, `host:port`, refused or not. */
  readonly asked: string[];
  /** Breaks every tunnel; new ones work. */
  cut(): void;
}

/** `credentials`: `user:password` that it wants; `status`: what it refuses every tunnel with. */
export async function connectProxy(options: { credentials?: string; status?: number } = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, outer: Socket, head: Buffer) => {
    const target = request.url ?? '';
    asked.push(target);
    const wanted = options.credentials && `Basic ${Buffer.from(options.credentials).toString('base64')}`;
    const status = wanted !== undefined && request.headers['proxy-authorization'] !== wanted ? 407 : options.status;
    if (status !== undefined) {
      outer.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const at = target.lastIndexOf(':');
    const inner = connect(Number(target.slice(at + 1)), target.slice(0, at), () => {
      outer.write('HTTP/1.1 200 Connection established\r\n\r\n');
      inner.write(head);
      inner.pipe(outer);
      outer.pipe(inner);
    });
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, cut };
}
