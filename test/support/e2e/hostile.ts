// Peers that mean harm, each in one way, until they are let go. Raw sockets and raw HTTP/2: no well-behaved client would do it.

import type { ClientHttp2Session } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Duplex } from 'node:stream';
import { pause } from './processes.js';

export interface Member {
  readonly authorityPem: string;
  readonly chainPem: string;
  readonly privateKeyPem: string;
}

export interface Harm {
  /** What was done so far, and got through: a test of nothing would pass. */
  readonly done: number;
}

const SERVICE = '/veilsum.v1.SiloService/';
const RESET = 8;
/** RFC 9113 §3.4 and §4.1: the preface, empty SETTINGS, and the head of a HEADERS frame on stream 1 that announces 16,000 bytes. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const HEADERS = Buffer.from([0, 0x3e, 0x80, 1, 4, 0, 0, 0, 1]);

export class Hostile {
  readonly #port: number;
  readonly #member: Member;
  readonly #sockets: Socket[] = [];
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  /** `member`: whose certificate the peers show, those that show one. */
  constructor(port: number, member: Member) {
    this.#port = port;
    this.#member = member;
  }

  letGo(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const session of this.#sessions.splice(0)) session.destroy();
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  /** Slow-loris in the handshake: so many connections, and a real ClientHello byte by byte over each. */
  async handshakesByteByByte(count: number): Promise<Harm> {
    const hello = await clientHello();
    const sockets = await Promise.all(Array.from({ length: count }, () => this.#dial()));
    this.#byteByByte(sockets, hello);
    return { done: sockets.length };
  }

  /** Connections that say nothing at all. */
  async silentConnections(count: number): Promise<Harm> {
    const sockets = await Promise.all(Array.from({ length: count }, () => this.#dial()));
    return { done: sockets.length };
  }

  /** Slow-loris behind the handshake: the headers of a request byte by byte. */
  async headersByteByByte(count: number): Promise<Harm> {
    const sockets = (await Promise.all(Array.from({ length: count }, () => this.#secure()))).filter(
      (socket) => socket !== undefined,
    );
    for (const socket of sockets) socket.write(Buffer.concat([PREFACE, SETTINGS, HEADERS]));
    this.#byteByByte(sockets, Buffer.alloc(16_000));
    return { done: sockets.length };
  }

  /** No certificate, and then a request. */
  async withoutCertificate(count: number): Promise<Harm> {
    let refused = 0;
    for (let k = 0; k < count; k++) {
      const session = connectHttp2(`https://127.0.0.1:${this.#port}`, {
        ca: this.#member.authorityPem,
        servername: 'localhost',
      });
      this.#sessions.push(session);
      session.on('error', () => undefined);
      const stream = session.request({ ...CALL, ':path': `${SERVICE}Watch` });
      const answers: unknown[] = [];
      stream.on('error', () => undefined);
      stream.on('response', (headers) => answers.push(headers));
      await new Promise((resolve) => stream.once('close', resolve));
      if (answers.length === 0) refused++;
    }
    return { done: refused };
  }

  async pings(count: number): Promise<Harm> {
    const session = await this.#session();
    let done = 0;
    for (; done < count && !isOver(session); done++) {
      session.ping(() => undefined);
      if (done % 500 === 0) await pause(1);
    }
    return { done };
  }

  /** Streams opened, every second one reset at once, as in CVE-2023-44487. */
  async streams(count: number): Promise<Harm> {
    let done = 0;
    let session = await this.#session();
    for (let tries = 0; done < count && tries < 200; done++) {
      if (isOver(session)) {
        tries++;
        session = await this.#session();
      }
      const stream = session.request({ ...CALL, ':path': `${SERVICE}Watch` });
      stream.on('error', () => undefined);
      if (done % 2 === 0) stream.close(RESET);
      if (done % 200 === 0) await pause(1);
    }
    return { done };
  }

  /** A message of which each byte comes in a frame of its own. */
  async framesOfOneByte(count: number): Promise<Harm> {
    const session = await this.#session();
    const stream = session.request({ ...CALL, ':path': `${SERVICE}UploadMasked` });
    stream.on('error', () => undefined);
    // A message of a megabyte is announced, and never whole.
    const head = Buffer.from([0, 0, 0x0f, 0xff, 0xff]);
    let done = 0;
    for (; done < count && !stream.destroyed && !isOver(session); done++) {
      stream.write(Buffer.of(head[done] ?? 0));
      if (done % 500 === 0) await pause(1);
    }
    return { done };
  }

  /** Asks on every stream that it may have, with a window of nothing, and never reads. */
  async neverReading(streams: number): Promise<Harm> {
    const session = await this.#session({ initialWindowSize: 0 });
    let done = 0;
    for (; done < streams && !isOver(session); done++) {
      const stream = session.request({ ...CALL, ':path': `${SERVICE}Watch` });
      stream.on('error', () => undefined);
      stream.pause();
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    }
    return { done };
  }

  #byteByByte(sockets: readonly Socket[], bytes: Buffer): void {
    let at = 0;
    this.#timers.push(
      setInterval(() => {
        const byte = bytes.subarray(at, at + 1);
        at++;
        for (const socket of sockets) if (socket.writable && byte.length > 0) socket.write(byte);
      }, 50),
    );
  }

  #dial(): Promise<Socket> {
    return new Promise((resolve) => {
      const socket = connectTcp(this.#port, '127.0.0.1', () => {
        resolve(socket);
      });
      socket.on('error', () => {
        resolve(socket);
      });
      this.#sockets.push(socket);
    });
  }

  #secure(): Promise<Socket | undefined> {
    const { authorityPem, chainPem, privateKeyPem } = this.#member;
    return new Promise((resolve) => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: this.#port,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        ca: authorityPem,
        cert: chainPem,
        key: privateKeyPem,
      });
      this.#sockets.push(socket);
      socket.once('secureConnect', () => {
        resolve(socket);
      });
      socket.on('error', () => {
        resolve(undefined);
      });
    });
  }

  /** Resolves with a session that is over when the coordinator lets this member have no more. */
  #session(settings: { initialWindowSize?: number } = {}): Promise<ClientHttp2Session> {
    const { authorityPem, chainPem, privateKeyPem } = this.#member;
    const session = connectHttp2(`https://127.0.0.1:${this.#port}`, {
      servername: 'localhost',
      ca: authorityPem,
      cert: chainPem,
      key: privateKeyPem,
      settings,
    });
    session.on('error', () => undefined);
    this.#sessions.push(session);
    return new Promise((resolve) => {
      const ready = (): void => {
        resolve(session);
      };
      session.once('remoteSettings', ready);
      session.once('close', ready);
    });
  }
}

const CALL = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

function isOver(session: ClientHttp2Session): boolean {
  return session.destroyed || session.closed;
}

/** The first bytes that a TLS client says, taken from one that speaks to nobody. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const nobody = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => {
        resolve(chunk);
      },
    });
    connectTls({ socket: nobody, servername: 'localhost', minVersion: 'TLSv1.3' }).on('error', () => undefined);
  });
}
