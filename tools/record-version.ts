// npm run record-version -- v1: writes what the code as it is now records and signs to test/fixtures/upgrade/v1. Once a version has been
// released its folder is never written again: a version that records otherwise raises RECORD_VERSION and gets a folder of its own.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_VERSION } from '../src/protocol/index.js';

const name = process.argv[2] ?? '';
if (!/^v[1-9]\d*$/.test(name)) throw new Error('say which version: npm run record-version -- v1');
// Tests are no part of what is shipped, and nothing shipped imports them: run by name.
const program = new URL('../test/support/recording.js', import.meta.url);
const { record, writeRecording } = (await import(program.href)) as {
  record: (version: number) => { coordinator: readonly unknown[] };
  writeRecording: (file: string, recording: unknown) => void;
};
const folder = join('test', 'fixtures', 'upgrade', name);
mkdirSync(folder, { recursive: true });
const recording = record(RECORD_VERSION);
const file = join(folder, 'round.json');
writeRecording(file, recording);
process.stdout.write(`${file}: ${String(recording.coordinator.length)} records of the coordinator\n`);
