// What a version of Veilsum wrote, kept so that later versions can be held to reading it: the journals of both sides after a round with a
// silo that dropped out, and everything that was signed in it, in a consortium that keeps a transparency log. Made in memory from seeds, so it is small and the same every time.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { asSiloId, hex } from '../../src/base/index.js';
import type { SiloId } from '../../src/base/index.js';
import { MemoryConsortium } from './memory/consortium.js';

const SILOS = 4;
const ROUNDS = 2;

export interface Recording {
  /** Of the records in the journals. */
  readonly recordVersion: number;
  readonly roster: Uint8Array;
  readonly coordinator: readonly Uint8Array[];
  readonly silos: ReadonlyMap<SiloId, readonly Uint8Array[]>;
  readonly expected: {
    readonly rounds: number;
    /** Survivors of each round. */
    readonly survivors: readonly (readonly string[])[];
    /** Hash of the terminal entry of each round, hexadecimal. */
    readonly terminals: readonly string[];
    readonly modelHash: string;
  };
}

/** Runs the two rounds with the code as it is now: in the first, the last silo is gone before its upload. */
export function record(recordVersion: number): Recording {
  const consortium = new MemoryConsortium(SILOS, { manifest: { roundLimit: ROUNDS }, log: true });
  const last = consortium.silos.at(-1)!;
  let gone = false;
  consortium.hooks.arrive = (silo, envelope) => {
    if (silo !== last || gone || envelope.type !== 'masked-header') return true;
    gone = true;
    return false;
  };
  consortium.run(1);
  consortium.hooks = {};
  consortium.run();
  const { job, founded } = consortium;
  return {
    recordVersion,
    roster: founded.rosterBytes,
    coordinator: consortium.journal,
    silos: new Map(consortium.silos.map((silo) => [silo.id, silo.journal])),
    expected: {
      rounds: job.closed.length,
      survivors: job.closed.map((round) => [...round.survivors]),
      terminals: job.closed.map((round) => hex(round.terminalHash)),
      modelHash: hex(job.modelHash),
    },
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytesOf = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'base64'));

interface Stored extends Pick<Recording, 'recordVersion' | 'expected'> {
  readonly roster: string;
  readonly coordinator: readonly string[];
  readonly silos: Readonly<Record<string, readonly string[]>>;
}

export function writeRecording(file: string, recording: Recording): void {
  const { recordVersion, expected, roster, coordinator, silos } = recording;
  const stored: Stored = {
    recordVersion,
    expected,
    roster: text(roster),
    coordinator: coordinator.map(text),
    silos: Object.fromEntries([...silos].map(([silo, records]) => [silo, records.map(text)])),
  };
  writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
}

export function readRecording(file: string): Recording {
  if (!existsSync(file)) throw new Error(`${file} does not exist: npm run record-version makes it`);
  // Written by writeRecording alone.
  const { silos, roster, coordinator, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Stored;
  return {
    ...rest,
    roster: bytesOf(roster),
    coordinator: coordinator.map(bytesOf),
    silos: new Map(Object.entries(silos).map(([silo, records]) => [asSiloId(silo)!, records.map(bytesOf)])),
  };
}
