// An object store over HTTP for tests: as much of S3 as is asked of one, and a refusal of everything else. It keeps objects in memory and
// can be told to fail. What it answers follows Amazon's API reference; the client is Amazon's own.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const ACCESS_KEY = 'veilsum-test';

export class ObjectStoreServer {
  readonly objects = new Map<string, Buffer>();
  /** Methods in the order in which they were asked for. */
  readonly asked: string[] = [];
  /** The next so many requests get 503. */
  failures = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => {
        response.destroy();
      });
    });
  }

  static async start(): Promise<ObjectStoreServer> {
    const store = new ObjectStoreServer();
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', headers, url = '' } = request;
    this.asked.push(method);
    const answer = (status: number, body: Buffer | string = '', more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...more }).end(body);
    };
    const error = (status: number, code: string): void => {
      answer(status, `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`, {
        'content-type': 'application/xml',
      });
    };
    if (headers.authorization?.includes(`Credential=${ACCESS_KEY}/`) !== true) {
      error(403, 'InvalidAccessKeyId');
      return;
    }
    if (this.failures > 0) {
      this.failures--;
      error(503, 'SlowDown');
      return;
    }
    const key = decodeURIComponent(url.split('?')[0]!);
    if (method === 'PUT') {
      this.objects.set(key, Buffer.concat(chunks));
      answer(200, '', { etag: '"0"' });
    } else if (method === 'DELETE') {
      this.objects.delete(key);
      answer(204);
    } else if (method === 'GET') {
      const object = this.objects.get(key);
      const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
      if (object === undefined) error(404, 'NoSuchKey');
      else if (range === null) answer(200, object);
      else if (Number(range[1]) >= object.length) error(416, 'InvalidRange');
      else {
        const part = object.subarray(Number(range[1]), Number(range[2]) + 1);
        answer(206, part, {
          'content-range': `bytes ${range[1]!}-${Number(range[1]) + part.length - 1}/${object.length}`,
        });
      }
    } else error(501, 'NotImplemented');
  }
}
