// The authority's folder: ca.pem for everybody, ca.key for nobody else, and what was issued, so that it can be revoked.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromUtf8, isoTime, utf8 } from '../../src/base/index.js';
import type { Authority, AuthorityFiles } from '../../src/pki/index.js';
import { inspectCertificate, openAuthority, PkiError } from '../../src/pki/index.js';
import {
  appendDurably,
  fileError,
  makeDirectory,
  readSecretFile,
  writeFileDurably,
  writeSecretFile,
} from '../../src/system/index.js';

export const certificatePath = (folder: string): string => join(folder, 'ca.pem');
export const revokedPath = (folder: string): string => join(folder, 'revoked.txt');
/** During a roll-over: the authority that is to follow, and the one that was. */
export const nextPath = (folder: string): string => join(folder, 'next.pem');
export const formerPath = (folder: string): string => join(folder, 'former.pem');
const keyPath = (folder: string): string => join(folder, 'ca.key');
const issuedPath = (folder: string): string => join(folder, 'issued.txt');

/** Writes a new authority; an older one is replaced only when `force` says so. */
export async function saveAuthority(folder: string, files: AuthorityFiles, force: boolean): Promise<void> {
  if (!force && (existsSync(keyPath(folder)) || existsSync(certificatePath(folder))))
    throw new PkiError('pki/authority-exists', `${folder} already holds an authority`, {
      remedy: 'Use another folder, or --force to replace it: every certificate that it issued then becomes worthless.',
    });
  await makeDirectory(folder);
  // The key first: a certificate without its key is useless, a key without certificate is only ignored.
  await writeSecretFile(keyPath(folder), utf8(files.privateKeyPem), { replace: force });
  await writeFileDurably(certificatePath(folder), utf8(files.certificatePem), { replace: force });
  await writeFileDurably(
    revokedPath(folder),
    utf8('# one serial number a line; checked by the coordinator on every call\n'),
  );
}

export async function loadAuthority(folder: string): Promise<Authority> {
  const key = await readSecretFile(keyPath(folder));
  try {
    return await openAuthority({
      certificatePem: await readText(certificatePath(folder)),
      privateKeyPem: fromUtf8(key),
    });
  } finally {
    key.fill(0);
  }
}

/** Notes what was issued, before it is handed out: a certificate that nobody knows of cannot be revoked. */
export async function noteIssued(folder: string, certificatePem: string): Promise<void> {
  const facts = inspectCertificate(certificatePem);
  const line = [facts.serial, isoTime(facts.notAfter), facts.names.join(',')].join('\t');
  await appendDurably(issuedPath(folder), utf8(`${line}\n`));
}

export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw fileError('reading', path, cause);
  }
}

/** Every authority that counts now, in PEM, the one that issues first. */
export async function trustedPem(folder: string): Promise<string> {
  const paths = [certificatePath(folder), nextPath(folder), formerPath(folder)].filter((path) => existsSync(path));
  const all = await Promise.all(paths.map(readText));
  return [...new Set(all.map((pem) => `${pem.trim()}\n`))].join('');
}
