// The second verifier of bundles, in Python and written from the documents alone, on a bundle that was exported from a job of four silos and
// three rounds: a fingerprint that does not come, a silo that drops out, a second attempt, a closing round. Skipped without python3.

import { createHash } from 'node:crypto';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { concat, u16be, u32be, u64be } from '../../src/base/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SCRIPT = join(import.meta.dirname, 'verify.py');
const BUNDLE = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'audit', 'heart.bundle'));
const ROSTER_HASH = 'eb75f441e635b60a308e92b1b2047e9ac65c730be6065d66c17271b5756b3ead';
const ROUNDS = 'jobs/heart-train/rounds';
const MAGIC = Buffer.from('veilsum-bundle-1\n');
const found = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;

type Parts = Map<string, Uint8Array>;

interface Verdict {
  readonly verdict: string;
  readonly findings: readonly { readonly code: string }[];
  readonly incomplete: readonly string[];
  readonly counts: Record<string, number>;
}

function verify(bundle: Uint8Array, ...more: string[]): Promise<{ verdict: Verdict; exit: number }> {
  const file = join(temporaryFolder(), 'job.bundle');
  writeFileSync(file, bundle);
  const hash = more.includes('--roster-hash') ? [] : ['--roster-hash', ROSTER_HASH];
  return new Promise((resolve, reject) => {
    execFile('python3', [SCRIPT, file, '--json', ...hash, ...more], (error, stdout, stderr) => {
      if (stderr !== '') reject(new Error(stderr));
      else resolve({ verdict: JSON.parse(stdout) as Verdict, exit: error === null ? 0 : Number(error.code) });
    });
  });
}

/** As docs/audit.md lays bundles out, so that a changed part is found by what it says and not by the digest over it. */
function bundleOf(parts: Parts): Uint8Array {
  const pieces: Uint8Array[] = [MAGIC];
  const contents: Uint8Array[] = [u32be(parts.size)];
  let at = MAGIC.length;
  for (const [name, bytes] of parts) {
    const head = concat(u16be(name.length), Buffer.from(name));
    const size = u64be(bytes.length);
    at += head.length + size.length;
    contents.push(head, u64be(at), size, createHash('sha256').update(bytes).digest());
    pieces.push(head, size, bytes);
    at += bytes.length;
  }
  return concat(...pieces, ...contents, u64be(at), MAGIC);
}

function partsOf(bundle: Buffer): Parts {
  const parts: Parts = new Map();
  const end = Number(bundle.readBigUInt64BE(bundle.length - MAGIC.length - 8));
  for (let at = MAGIC.length; at < end; ) {
    const name = bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at)).toString();
    const from = at + 2 + name.length + 8;
    at = from + Number(bundle.readBigUInt64BE(from - 8));
    parts.set(name, bundle.subarray(from, at));
  }
  return parts;
}

/** The bundle with one part changed; `undefined` leaves it out. */
function changed(name: string, change: (bytes: Buffer) => Uint8Array | undefined): Uint8Array {
  const parts = partsOf(BUNDLE);
  const bytes = parts.get(name);
  expect(bytes, name).toBeDefined();
  const after = change(Buffer.from(bytes!));
  if (after === undefined) parts.delete(name);
  else parts.set(name, after);
  return bundleOf(parts);
}

const flip =
  (k: number) =>
  (bytes: Buffer): Buffer => {
    bytes[k < 0 ? bytes.length + k : k]! ^= 1;
    return bytes;
  };

/** A note of which only the first cosignature is left, behind the log's own signature. */
const oneCosignature = (note: Buffer): Buffer =>
  Buffer.from(note.toString().split('\n').slice(0, 6).concat('').join('\n'));

describe.skipIf(!found)('a verifier in Python', () => {
  it('passes the bundle, also when written anew, with nothing left unchecked', async () => {
    expect(Buffer.compare(bundleOf(partsOf(BUNDLE)), BUNDLE)).toBe(0);
    const { verdict, exit } = await verify(BUNDLE);
    expect(verdict).toMatchObject({ verdict: 'PASS', findings: [], incomplete: [] });
    expect(verdict.counts).toMatchObject({
      rounds: 4,
      attempts: 5,
      transcripts: 4,
      sums: 4,
      acks: 16,
      cosignatures: 4,
      models: 6,
    });
    expect(exit).toBe(0);
  });

  it('computes the same with its own Ed25519, X25519 and AES, and finds the same', async () => {
    expect((await verify(BUNDLE, '--pure')).verdict).toEqual((await verify(BUNDLE)).verdict);
    const { verdict } = await verify(changed(`${ROUNDS}/1/transcript`, flip(200)), '--pure');
    expect(verdict).toMatchObject({ verdict: 'FAIL' });
  });

  it('is only content with the roster that was asked for', async () => {
    const { verdict, exit } = await verify(BUNDLE, '--roster-hash', '00'.repeat(32));
    expect(verdict.findings.map(({ code }) => code)).toEqual(['roster/wrong-hash']);
    expect(exit).toBe(7);
  });

  it.each<[string, string, () => Uint8Array]>([
    ['a damaged file', 'verify/bundle', () => flip(20_000)(Buffer.from(BUNDLE))],
    ['a file that is cut off', 'verify/bundle', () => BUNDLE.subarray(0, -1)],
    ['another log', 'log/root', () => changed('log/entries', flip(20))],
    ['a checkpoint of another size', 'log/note', () => changed('checkpoint', flip(9))],
    ['a checkpoint that one silo cosigned', 'log/no-quorum', () => changed('checkpoint', oneCosignature)],
    ['a sum that is not the signed one', 'result/sum', () => changed(`${ROUNDS}/2/sum`, flip(0))],
    ['an opened sum that masks do not give', 'result/opened', () => changed(`${ROUNDS}/2/opened`, flip(-4))],
    ['an input that was not sent', 'result/missing-input', () => changed(`${ROUNDS}/1/inputs/1`, flip(5))],
    [
      'a transcript of another round',
      'verify/not-logged',
      () => changed(`${ROUNDS}/1/transcript`, () => partsOf(BUNDLE).get(`${ROUNDS}/2/transcript`)),
    ],
    [
      'acknowledgements of another round',
      'verify/ack',
      () => changed(`${ROUNDS}/3/reactions`, () => partsOf(BUNDLE).get(`${ROUNDS}/2/reactions`)),
    ],
    ['another forward model', 'verify/first-model', () => changed('jobs/heart-train/forward-model', flip(-1))],
    [
      'a trained model that is not the last state',
      'verify/final-model',
      () => changed('jobs/heart-train/final-model', flip(-60)),
    ],
  ])('finds %s: %s', async (_, code, bundle) => {
    const { verdict, exit } = await verify(bundle());
    expect(verdict.findings.map((finding) => finding.code)).toContain(code);
    expect([verdict.verdict, exit]).toEqual(['FAIL', 7]);
  });

  it('compares with a checkpoint that was kept', async () => {
    const kept = join(temporaryFolder(), 'kept');
    const note = Buffer.from(partsOf(BUNDLE).get('checkpoint')!);
    writeFileSync(kept, note);
    expect((await verify(BUNDLE, '--previous', kept)).verdict.verdict).toBe('PASS');
    writeFileSync(kept, note.toString().replace('test/log', 'other/log'));
    expect((await verify(BUNDLE, '--previous', kept)).verdict.findings).toMatchObject([{ code: 'log/note' }]);
  });

  it('says what is missing', async () => {
    const { verdict, exit } = await verify(changed(`${ROUNDS}/2/sum`, () => undefined));
    expect([verdict.verdict, verdict.findings, exit]).toEqual(['INCOMPLETE', [], 8]);
    expect(verdict.incomplete.join('\n')).toContain(`${ROUNDS}/2/sum`);
  });
});
