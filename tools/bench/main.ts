// npm run bench: what the masks cost, against the cipher they are made of, in the same run on the same machine.
//   --smoke      small sizes, seconds          --json FILE  the figures as data

import { createCipheriv } from 'node:crypto';
import { cpus } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { applyMasks, type MaskKeys } from '../../src/protocol/index.js';
import { Fingerprint } from '../../src/vector/index.js';
import { medians } from './measure.js';
import { measureNoise } from './noise.js';

interface Row {
  /** Cohort. */
  readonly n: number;
  /** Coordinates. */
  readonly d: number;
  /** Nanoseconds per mask and element. */
  readonly maskNs: number;
  /** Nanoseconds per 4 bytes of plain AES-256-CTR, one cipher, in the pieces it is fastest in. */
  readonly aesNs: number;
  readonly maskVsAes: number;
  /** Nanoseconds per element of one fingerprint. */
  readonly fingerprintNs: number;
}

const options = new Command('npm run bench --')
  .description('Measures masking against plain AES-256-CTR of the same bytes, in one run.')
  .option('--smoke', 'small sizes only')
  .option('--json <file>', 'write the figures as JSON')
  .parse()
  .opts<{ smoke?: boolean; json?: string }>();

const shapes =
  options.smoke === true
    ? [[10, 100_000]]
    : [
        [5, 1_000_000],
        [10, 1_000_000],
        [50, 1_000_000],
        [10, 10_000_000],
      ];
const repeats = options.smoke === true ? 5 : 7;

console.log(
  `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}, one thread`,
);
console.log('ns per mask and element; AES is the same bytes of plain AES-256-CTR in the same run');
console.log('   n          d   masking    AES   ratio   fingerprint');
const rows = shapes.map(([n = 0, d = 0]) => measure(n, d));
const noise = measureNoise(1_000_000, repeats);
for (const { noise: kind, d, tableMs, drawMs } of noise)
  console.log(
    `${kind.padEnd(30)} d = ${String(d)}: ${drawMs.toFixed(0)} ms, and ${tableMs.toFixed(0)} ms for its table`,
  );
if (options.json !== undefined)
  await writeFile(
    options.json,
    `${JSON.stringify({ node: process.versions.node, maskVsAes: rows.at(-1)?.maskVsAes, rows, noise }, null, 2)}\n`,
  );

function measure(n: number, d: number): Row {
  const words = new Int32Array(d);
  // A self mask and n − 1 pair masks, half of them subtracted.
  const keys: MaskKeys = {
    add: Array.from({ length: Math.ceil(n / 2) }, (_, i) => new Uint8Array(32).fill(i + 1)),
    subtract: Array.from({ length: Math.floor(n / 2) }, (_, i) => new Uint8Array(32).fill(101 + i)),
  };
  const weights = new Uint8Array(8 * Math.min(d, 1 << 16)).fill(7);
  const values = new Uint32Array(weights.length / 8).fill(0x89abcdef);
  const times = medians(
    {
      masking: () => {
        applyMasks(words, 0, keys, 32);
      },
      aes: () => {
        plainAes(4 * d * n);
      },
      fingerprint: () => {
        const print = new Fingerprint();
        print.update(values, weights);
        print.digest();
      },
    },
    repeats,
  );
  const row = {
    n,
    d,
    maskNs: times.masking / (n * d),
    aesNs: times.aes / (n * d),
    maskVsAes: times.masking / times.aes,
    fingerprintNs: times.fingerprint / values.length,
  };
  const text = (value: number, width: number): string => value.toFixed(2).padStart(width);
  console.log(
    `${String(n).padStart(4)} ${String(d).padStart(10)} ${text(row.maskNs, 9)} ${text(row.aesNs, 6)} ${text(row.maskVsAes, 7)} ${text(row.fingerprintNs, 13)}`,
  );
  return row;
}

function plainAes(bytes: number): void {
  const piece = new Uint8Array(64 * 1024);
  const cipher = createCipheriv('aes-256-ctr', new Uint8Array(32).fill(9), new Uint8Array(16));
  for (let at = 0; at < bytes; at += piece.length)
    cipher.update(at + piece.length <= bytes ? piece : piece.subarray(0, bytes - at));
}
