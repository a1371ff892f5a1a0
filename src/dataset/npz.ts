// NumPy's .npz: a zip archive of .npy files, stored or deflated. Only what NumPy writes is read: no encryption, no zip64, no spanning.

import { inflateRawSync } from 'node:zlib';
import { DataSetError } from './errors.js';
import { parseNpy, type NpyArray } from './npy.js';

/** Arrays in one archive. */
const ENTRIES_MAX = 1_000;
/** Bytes of one array unpacked: what a packed byte can make us spend ends here. */
const ENTRY_BYTES_MAX = 4 * 1024 ** 3 - 1;

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const COMMENT_MAX = 0xffff;

/** The arrays by name, without `.npy`. Throws DataSetError `dataset/bad-file`. */
export function parseNpz(name: string, bytes: Uint8Array): Map<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  for (const [stem, content] of npzFiles(name, bytes)) arrays.set(stem, parseNpy(`${name}, array ${stem},`, content()));
  return arrays;
}

/** The .npy files by name, without `.npy`; each is unpacked when it is asked for. Both throw as `parseNpz`. */
export function npzFiles(name: string, bytes: Uint8Array): Map<string, () => Uint8Array> {
  const bad = (what: string): DataSetError =>
    new DataSetError('dataset/bad-file', `${name} is no .npz archive: ${what}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checked = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      // Offsets in a damaged archive point anywhere.
      if (cause instanceof RangeError) throw bad('an offset leads out of the file');
      throw cause;
    }
  };
  const entries = checked(() => entriesOf(view, bad)).filter((entry) => entry.name.endsWith('.npy'));
  return new Map(
    entries.map((entry) => [entry.name.slice(0, -'.npy'.length), () => checked(() => unpack(bytes, view, entry, bad))]),
  );
}

interface Entry {
  readonly name: string;
  readonly deflated: boolean;
  readonly packed: number;
  readonly unpacked: number;
  /** Of its local header. */
  readonly offset: number;
}

function entriesOf(view: DataView, bad: (what: string) => DataSetError): Entry[] {
  const end = findEnd(view, bad);
  const count = view.getUint16(end + 10, true);
  if (count > ENTRIES_MAX) throw bad(`it holds ${String(count)} files, at most ${String(ENTRIES_MAX)} are read`);
  const entries: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== CENTRAL) throw bad('its directory is damaged');
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & 1) !== 0 || (method !== 0 && method !== 8))
      throw bad('a file in it is encrypted or packed in another way than deflate');
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
    entries.push({
      name,
      deflated: method === 8,
      packed: view.getUint32(at + 20, true),
      unpacked: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

function findEnd(view: DataView, bad: (what: string) => DataSetError): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - COMMENT_MAX); at--) if (view.getUint32(at, true) === END) return at;
  throw bad('it has no directory');
}

function unpack(
  bytes: Uint8Array,
  view: DataView,
  { name, deflated, packed, unpacked, offset }: Entry,
  bad: (what: string) => DataSetError,
): Uint8Array {
  if (view.getUint32(offset, true) !== LOCAL) throw bad('a file in it is not where its directory says');
  if (packed === 0xffffffff || unpacked > ENTRY_BYTES_MAX) throw bad('an array in it has 4 GiB or more');
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packed > bytes.length) throw bad('it is cut off');
  const content = bytes.subarray(start, start + packed);
  if (!deflated) return content;
  try {
    // A byte more than promised is an error there, not memory here.
    const inflated = inflateRawSync(content, { maxOutputLength: Math.max(1, unpacked) });
    if (inflated.length === unpacked) return inflated;
  } catch {
    // Said below: the library's words add nothing.
  }
  throw bad(`the file ${JSON.stringify(name.slice(0, 60))} in it does not unpack to the size it names`);
}
