// Members who get no certificate any more, one `role/id` a line in the authority's folder. Read at each request, so that it bites at once.

import { join } from 'node:path';
import { utf8 } from '../../src/base/index.js';
import { signerOf } from '../../src/enrolment/index.js';
import type { Identity } from '../../src/pki/index.js';
import { LIMITS } from '../../src/base/index.js';
import { readSmallFile, SystemError, writeFileDurably } from '../../src/system/index.js';

const path = (folder: string): string => join(folder, 'barred.txt');

export async function isBarred(folder: string, identity: Identity): Promise<boolean> {
  return (await lines(folder)).includes(signerOf(identity));
}

export async function bar(folder: string, identity: Identity): Promise<void> {
  const all = await lines(folder);
  if (!all.includes(signerOf(identity))) await write(folder, [...all, signerOf(identity)]);
}

/** False when it was not barred. */
export async function readmit(folder: string, identity: Identity): Promise<boolean> {
  const all = await lines(folder);
  const rest = all.filter((line) => line !== signerOf(identity));
  if (rest.length === all.length) return false;
  await write(folder, rest);
  return true;
}

async function lines(folder: string): Promise<string[]> {
  try {
    const text = new TextDecoder().decode(await readSmallFile(path(folder), LIMITS.configBytes));
    return text.split('\n').filter((line) => line !== '');
  } catch (cause) {
    if (cause instanceof SystemError && cause.code === 'system/not-found') return [];
    throw cause;
  }
}

async function write(folder: string, all: readonly string[]): Promise<void> {
  await writeFileDurably(path(folder), utf8(all.map((line) => `${line}\n`).join('')));
}
