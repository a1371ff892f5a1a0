// The port for Prometheus and for whoever asks whether the program is well. Plain HTTP without secrets: let it listen on a local address.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';

export interface Health {
  readonly ok: boolean;
  /** Scalars that say why. */
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  readonly health: () => Health;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects when the address cannot be bound. */
export async function startMetricsServer({
  host,
  port,
  metrics,
  health,
}: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/metrics')
      void metrics.text().then((text) => response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text));
    else if (request.method === 'GET' && request.url === '/healthz') {
      const { ok, detail } = health();
      response.writeHead(ok ? 200 : 503, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ok, ...detail }));
    } else response.writeHead(404).end();
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
