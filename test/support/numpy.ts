// Files as NumPy writes them.

import { deflateRawSync } from 'node:zlib';
import { concat, utf8 } from '../../src/base/index.js';

/** As numpy.save writes it, format 1.0; the shape as Python prints it. */
export function npyText(type: string, shape: string, values: Uint8Array, order = 'False'): Uint8Array {
  const text = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(117) + '\n';
  return concat(Uint8Array.of(0x93, ...utf8('NUMPY'), 1, 0, text.length & 255, text.length >> 8), utf8(text), values);
}

export function npy(type: string, shape: readonly number[], values: Uint8Array): Uint8Array {
  return npyText(type, `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`, values);
}

const u16 = (n: number): number[] => [n & 255, n >> 8];
const u32 = (n: number): number[] => [...u16(n & 0xffff), ...u16(n >>> 16)];

interface ZipOptions {
  /** As numpy.savez or numpy.savez_compressed. */
  readonly packing?: 'stored' | 'deflated';
  /** The unpacked size that the directory names. */
  readonly claim?: (size: number) => number;
}

/** A zip archive without checksums, which nobody reads. */
export function zip(
  files: Readonly<Record<string, Uint8Array>>,
  { packing = 'deflated', claim = (size) => size }: ZipOptions = {},
): Uint8Array {
  let body: Uint8Array = new Uint8Array();
  let directory: Uint8Array = new Uint8Array();
  for (const [name, content] of Object.entries(files)) {
    const packed = packing === 'stored' ? content : deflateRawSync(content);
    const facts = [
      ...u16(packing === 'stored' ? 0 : 8),
      ...u32(0),
      ...u32(0),
      ...u32(packed.length),
      ...u32(claim(content.length)),
      ...u16(name.length),
    ];
    const local = concat(Uint8Array.of(...u32(0x04034b50), 20, 0, 0, 0, ...facts, 0, 0), utf8(name), packed);
    const entry = [...u32(0x02014b50), 20, 0, 20, 0, 0, 0, ...facts, ...Array<number>(12).fill(0), ...u32(body.length)];
    directory = concat(directory, Uint8Array.of(...entry), utf8(name));
    body = concat(body, local);
  }
  const count = u16(Object.keys(files).length);
  const end = [...u32(0x06054b50), 0, 0, 0, 0, ...count, ...count, ...u32(directory.length), ...u32(body.length), 0, 0];
  return concat(body, directory, Uint8Array.of(...end));
}
