// The transport against bare TLS, and a whole secure round against a plain one over the same transport.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { readBundle } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectSilo, type TlsMaterial } from '../../src/transport/index.js';
import { runConsortium } from '../load/consortium.js';
import { found } from '../load/founding.js';
import { stopAll } from '../load/processes.js';
import type { RoundTimes } from '../load/rounds.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface TransportFigures {
  readonly bytes: number;
  /** Megabytes a second, best of several in turns. */
  readonly uploadMBs: number;
  readonly tlsMBs: number;
  /** The same over a line with this round trip. */
  readonly far: { readonly roundTripMs: number; readonly uploadMBs: number; readonly tlsMBs: number };
}

/** Between hospitals of one continent. */
const ROUND_TRIP_MS = 50;

interface Ports {
  readonly grpc: number;
  readonly tls: number;
}

async function withPeer<T>(silos: number, work: (folder: string, ports: Ports) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-bench-'));
  const children: ChildProcess[] = [];
  try {
    await found(folder, silos);
    const child = fork(here('peer.js'), [folder, String(silos)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.push(child);
    const [ports] = (await once(child, 'message')) as [Ports];
    return await work(folder, ports);
  } finally {
    await stopAll(children);
    await rm(folder, { recursive: true, force: true });
  }
}

export function measureTransport(bytes: number, repeats: number): Promise<TransportFigures> {
  return withPeer(3, async (folder, ports) => {
    const tls = await readBundle(join(folder, 'secrets', 'silo-001.tls.pem'));
    const near = await uploads(ports, tls, bytes, repeats);
    const line = fork(here('delay-line.js'), [ROUND_TRIP_MS, ports.grpc, ports.tls].map(String), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    try {
      const [[grpc = 0, bare = 0]] = (await once(line, 'message')) as [number[]];
      const far = await uploads({ grpc, tls: bare }, tls, bytes, repeats);
      return { bytes, ...near, far: { roundTripMs: ROUND_TRIP_MS, ...far } };
    } finally {
      await stopAll([line]);
    }
  });
}

/** Uploads and bare TLS 1.3 in turns, the best of each. */
async function uploads(
  ports: Ports,
  tls: TlsMaterial,
  bytes: number,
  repeats: number,
): Promise<{ uploadMBs: number; tlsMBs: number }> {
  const chunk = new Uint8Array(1024 ** 2).fill(77);
  const pieces = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < bytes; at += chunk.length)
      yield await Promise.resolve(chunk.subarray(0, Math.min(chunk.length, bytes - at)));
  };
  const client = connectSilo({
    address: `localhost:${String(ports.grpc)}`,
    tls,
    consortium: 'load',
    clock: systemClock,
    rng: systemRng,
    agentVersion: 'bench',
  });
  const upload = (): Promise<void> =>
    client.upload({ rid: new Uint8Array(32), attempt: 0, totalBytes: bytes, read: pieces });
  const bare = async (): Promise<void> => {
    const socket = connect({
      port: ports.tls,
      host: '127.0.0.1',
      servername: 'localhost',
      key: tls.privateKeyPem,
      cert: tls.chainPem,
      ca: tls.authorityPem,
      minVersion: 'TLSv1.3',
    });
    await once(socket, 'secureConnect');
    const answered = once(socket, 'data');
    for await (const piece of pieces(0)) if (!socket.write(piece)) await once(socket, 'drain');
    socket.end();
    await answered;
  };
  const best = { upload: 0, bare: 0 };
  for (let turn = 0; turn <= repeats; turn++)
    for (const [name, send] of [
      ['upload', upload],
      ['bare', bare],
    ] as const) {
      const from = performance.now();
      await send();
      // The first turn opens the connection.
      if (turn > 0) best[name] = Math.max(best[name], bytes / 1e3 / (performance.now() - from));
    }
  client.close();
  return { uploadMBs: best.upload, tlsMBs: best.bare };
}

export interface RoundFigures {
  readonly silos: number;
  readonly dimension: number;
  /** m, as the job's manifest chose it. */
  readonly bits: number;
  /** Milliseconds from the start of a round to the start of the next, all silos on this machine; the least of the rounds. */
  readonly secureMs: number;
  /** The same of a plain round with the same stand-in for training. */
  readonly plainMs: number;
  /** Milliseconds of each phase of the quickest secure round, by the coordinator's timeline. */
  readonly phases: Readonly<Record<string, number>>;
}

const PROCESSES = 2;

export async function measureRounds(silos: number, dimension: number, rounds: number): Promise<RoundFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-bench-'));
  const seen: RoundTimes[] = [];
  let bits = 0;
  try {
    await runConsortium(
      folder,
      // One more: its start is the end of the one before.
      { silos, dimension, rounds: rounds + 2, bits: undefined, processes: PROCESSES },
      {
        onIdle: () => undefined,
        onOffered: (_parameters, modulusBits) => {
          bits = modulusBits;
        },
        onRound: (round) => {
          seen.push(round);
          return Promise.resolve();
        },
      },
      new AbortController().signal,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  // The first round loads what later ones have.
  const timed = seen.slice(1, -1).map((round, k) => ({ round, ms: (seen[k + 2]?.startedMs ?? NaN) - round.startedMs }));
  const [quickest] = timed.sort((one, other) => one.ms - other.ms);
  if (quickest === undefined) throw new Error('no round was timed');
  return {
    silos,
    dimension,
    bits,
    secureMs: quickest.ms,
    plainMs: await plainRound(silos, dimension, rounds),
    phases: quickest.round.phases,
  };
}

function plainRound(silos: number, dimension: number, rounds: number): Promise<number> {
  return withPeer(silos, async (folder, ports) => {
    const names = Array.from({ length: silos }, (_, k) => `silo-${String(k + 1).padStart(3, '0')}`);
    const share = Math.ceil(silos / PROCESSES);
    const groups = Array.from({ length: PROCESSES }, (_, k) => names.slice(k * share, (k + 1) * share));
    const children = groups
      .filter((group) => group.length > 0)
      .map((group) =>
        fork(here('plain-clients.js'), [folder, String(ports.grpc), String(dimension), ...group], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        }),
      );
    try {
      await Promise.all(children.map((child) => once(child, 'message')));
      let least = Infinity;
      for (let round = 1; round <= rounds + 1; round++) {
        const from = performance.now();
        const done = Promise.all(children.map((child) => once(child, 'message')));
        for (const child of children) child.send(round);
        await done;
        if (round > 1) least = Math.min(least, performance.now() - from);
      }
      for (const child of children) child.send(0);
      return least;
    } finally {
      await stopAll(children);
    }
  });
}
