// veilsum-coordinator evidence export: what silos signed that contradicts itself, as a file for `veilsum-audit evidence`.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { evidenceFile } from '../../src/audit/index.js';
import { readCoordinatorConfig, type CoordinatorConfig } from '../../src/config/index.js';
import { EVIDENCE_JOURNAL } from '../../src/protocol/index.js';
import {
  BlobStore,
  Journal,
  openShared,
  openStorageKey,
  Sealer,
  type ObjectStore,
  type RecordStore,
} from '../../src/storage/index.js';
import { writeFileDurably } from '../../src/system/index.js';
import { ConsistencyRequest, decode, EvidenceRecord } from '../../src/wire/index.js';
import { MissingInputs } from '../missing-inputs.js';
import { sharedSettings } from '../store.js';

interface Options {
  readonly config: string;
  readonly out: string;
}

const RECORD_BYTES = 1 << 23;

export function addEvidence(program: Command): void {
  program
    .command('evidence')
    .description('signed messages that contradict each other, and what convicted silos')
    .command('export')
    .description(
      'write them to a file that anybody can judge with `veilsum-audit evidence`; works beside a running coordinator',
    )
    .requiredOption('--config <file>', 'its configuration')
    .requiredOption('--out <file>', 'where to write them; a file that exists is not replaced')
    .action(exportEvidence);
}

async function exportEvidence({ config: path, out }: Options): Promise<void> {
  const config = await readCoordinatorConfig(path);
  const { journal, blobs, close } = await openToRead(config);
  try {
    const records: Uint8Array[] = [];
    for await (const { bytes } of journal.readAll(EVIDENCE_JOURNAL)) records.push(bytes);
    if (records.length === 0) {
      console.log('No silo has signed what contradicts itself: nothing was written.');
      return;
    }
    const inputs = await inputsOf(records, new MissingInputs({ journal, blobs }), blobs);
    const roster = await readFile(config.roster.file);
    await writeFileDurably(out, Buffer.concat(evidenceFile({ roster, records, inputs })), { replace: false });
    console.log(`${String(records.length)} records and ${String(inputs.length)} masked inputs written to ${out}`);
    console.log('Anybody who has the roster hash can judge them: veilsum-audit evidence FILE --roster-hash HASH');
  } finally {
    await close();
  }
}

interface Readable {
  readonly journal: RecordStore;
  readonly blobs: ObjectStore;
  readonly close: () => Promise<void>;
}

/** Beside whoever writes it. */
async function openToRead(config: CoordinatorConfig): Promise<Readable> {
  const root = await openStorageKey(config.keys.storage);
  const settings = sharedSettings(config);
  if (settings !== undefined) {
    const shared = await openShared({ ...settings, root, uploads: { totalBytes: 0 } });
    return { journal: shared.journal, blobs: shared.objects('blobs'), close: () => shared.close() };
  }
  const sealer = Sealer.derive(root, 'coordinator-journal');
  const journal = await Journal.open({ path: join(config.state, 'journal'), sealer, readOnly: true });
  return { journal, blobs: await BlobStore.open(join(config.state, 'blobs')), close: () => journal.close() };
}

/** Masked inputs of silos whose fingerprint did not fit: with these it can be seen. Silos were served the same. */
async function inputsOf(
  records: readonly Uint8Array[],
  missing: MissingInputs,
  blobs: ObjectStore,
): Promise<Uint8Array[]> {
  const names = new Set<string>();
  for (const bytes of records) {
    const { code, envelopes } = decode(EvidenceRecord, 'evidence', bytes, RECORD_BYTES);
    if (code !== 'confirm/lying-fingerprint') continue;
    for (const { type, payload } of envelopes) {
      if (type !== 'survivors') continue;
      const { rid } = decode(ConsistencyRequest, 'survivors', payload, RECORD_BYTES);
      for (const { sha256 } of missing.of(rid)) names.add(hex(sha256));
    }
  }
  const inputs: Uint8Array[] = [];
  for (const name of names) {
    const pieces: Uint8Array[] = [];
    for await (const piece of blobs.readChunks(name, 1 << 20)) pieces.push(piece);
    inputs.push(Buffer.concat(pieces));
  }
  return inputs;
}
