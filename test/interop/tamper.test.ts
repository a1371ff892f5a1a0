// The two verifiers on bundles that were changed at random: a byte of a part, and entries of a log that everybody signed again. They must
// come to one verdict. VEILSUM_TAMPER_CASES makes it a longer battery, VEILSUM_TAMPER_SEED another one. Skipped without python3.

import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { hex } from '../../src/base/index.js';
import { decodeEntry } from '../../src/transcript/index.js';
import { bundleOf, conspired, entriesIn, partsOf, verifyParts, type Parts } from '../support/audit/forge.js';
import { bundleOfJob, trainedConsortium, type Trained } from '../support/audit/trained.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SCRIPT = join(import.meta.dirname, 'judge.py');
const found = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;
const CASES = Number(process.env['VEILSUM_TAMPER_CASES'] ?? 12);
const SEED = Number(process.env['VEILSUM_TAMPER_SEED'] ?? 1);

let trained: Trained;
let parts: Parts;

beforeAll(async () => {
  if (!found) return;
  trained = await trainedConsortium();
  parts = partsOf(await bundleOfJob(trained));
});

/** Mulberry32: the same cases for one seed, whatever came before. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Case {
  readonly what: string;
  readonly changed: Parts;
}

const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array => bytes.with(at, bytes[at]! ^ (1 << bit));

function caseOf(k: number): Case {
  const pick = random(SEED * 1_000_003 + k);
  const entries = entriesIn(parts);
  const signed = (what: string, change: (all: Uint8Array[]) => Uint8Array[]): Case => ({
    what,
    changed: conspired(parts, trained.consortium.founded, Math.ceil(trained.consortium.time / 1000), change),
  });
  const at = 1 + pick(entries.length - 1);
  const about = `${String(at)} (${decodeEntry(entries[at]!).kind})`;
  switch (k % 6) {
    case 0:
    case 1: {
      // Each part as often as any other: the log is by far the largest.
      const names = [...parts.keys()];
      const name = names[pick(names.length)]!;
      const byte = pick(parts.get(name)!.length);
      return {
        what: `byte ${String(byte)} of ${name}`,
        changed: new Map(parts).set(name, flipped(parts.get(name)!, byte, pick(8))),
      };
    }
    case 2:
      return signed(`without entry ${about}`, (all) => all.toSpliced(at, 1));
    case 3:
      return signed(`entry ${about} twice`, (all) => all.toSpliced(at, 0, all[at]!));
    case 4: {
      const to = 1 + pick(entries.length - 1);
      return signed(`entry ${about} moved to ${String(to)}`, (all) => all.toSpliced(at, 1).toSpliced(to, 0, all[at]!));
    }
    default: {
      const byte = pick(entries[at]!.length);
      return signed(`byte ${String(byte)} of entry ${about}`, (all) => all.with(at, flipped(all[at]!, byte, pick(8))));
    }
  }
}

describe.skipIf(!found)('bundles that were changed at random', { timeout: 180_000 + 5_000 * CASES }, () => {
  it('get one verdict from both verifiers, and few of them a PASS', async () => {
    const folder = temporaryFolder();
    const rosterHash = trained.consortium.founded.roster.hash;
    const whole: Case = { what: 'nothing changed', changed: parts };
    const cases = [whole, ...Array.from({ length: CASES }, (_, k) => caseOf(k))];
    const files = cases.map(({ changed }, k) => {
      const file = join(folder, `${String(k)}.bundle`);
      writeFileSync(file, bundleOf(changed));
      return file;
    });
    const options = { maxBuffer: 1 << 26 };
    const { stdout } = await promisify(execFile)('python3', [SCRIPT, hex(rosterHash), ...files], options);
    const theirs = JSON.parse(stdout) as { verdict: string; codes: string[]; gaps: string[] }[];
    const ours = cases.map(({ changed }) => verifyParts(changed, { rosterHash }));
    const differ = cases.flatMap(({ what }, k) =>
      ours[k]!.word === theirs[k]!.verdict
        ? []
        : [{ what, ours: [ours[k]!.word, ours[k]!.findings.map(({ code }) => code)], theirs: theirs[k] }],
    );
    expect(differ).toEqual([]);
    expect(theirs[0]!.verdict).toBe('PASS');
    // A second Ack with the same bytes, or two neighbours that change places, may hold.
    expect(theirs.filter(({ verdict }) => verdict === 'PASS').length).toBeLessThan(1 + Math.max(3, CASES / 4));
  });
});
