import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import {
  appendDurably,
  fileError,
  isTemporaryName,
  makeDirectory,
  readSecretFile,
  removeDurably,
  SYSTEM_ERRORS,
  writeFileDurably,
  writeSecretFile,
} from '../../../src/system/index.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

describe('durable files', () => {
  it('writes a file, replaces it, and leaves no temporary file behind', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a');
    await writeFileDurably(path, utf8('one'));
    await writeFileDurably(path, utf8('two'));
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('writes pieces in order', async () => {
    const path = join(temporaryFolder(), 'a');
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield utf8('one ');
      await Promise.resolve();
      yield utf8('two');
    }
    await writeFileDurably(path, pieces());
    expect(readFileSync(path, 'utf8')).toBe('one two');
  });

  it('refuses to replace a file when told not to, and keeps it', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a');
    await writeFileDurably(path, utf8('one'), { replace: false });
    await expect(writeFileDurably(path, utf8('two'), { replace: false })).rejects.toMatchObject({
      code: 'system/exists',
    });
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('keeps the older file and its own error when the content fails half way', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a');
    await writeFileDurably(path, utf8('one'));
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield utf8('half');
      await Promise.resolve();
      throw new Error('the source failed');
    }
    await expect(writeFileDurably(path, broken())).rejects.toThrow('the source failed');
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('keeps the older file whole when the process dies before the rename', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a');
    writeFileSync(path, 'one');
    const script = `import { writeFileDurably } from ${JSON.stringify(builtUrl('src/system/index.ts'))};
      await writeFileDurably(${JSON.stringify(path)}, new TextEncoder().encode('two'));`;
    const end = await startScript(script, { VEILSUM_FAILPOINT: 'system.before-rename' }).ended;
    expect(end.signal).toBe('SIGKILL');
    expect(readFileSync(path, 'utf8')).toBe('one');
    const left = readdirSync(folder).filter((name) => name !== 'a');
    expect(left).toHaveLength(1);
    expect(isTemporaryName(left[0]!)).toBe(true);
  });

  it('names a missing folder', async () => {
    await expect(writeFileDurably(join(temporaryFolder(), 'no', 'a'), utf8(''))).rejects.toMatchObject({
      code: 'system/not-found',
    });
  });

  it('appends to a file that it creates', async () => {
    const path = join(temporaryFolder(), 'a');
    await appendDurably(path, utf8('one '));
    await appendDurably(path, utf8('two'));
    expect(readFileSync(path, 'utf8')).toBe('one two');
  });

  it('creates folders for this account alone', async () => {
    const path = join(temporaryFolder(), 'a', 'b');
    await makeDirectory(path);
    expect(statSync(path).mode & 0o077).toBe(0);
    await makeDirectory(path);
  });

  it('deletes a file, and does nothing when it is not there', async () => {
    const folder = temporaryFolder();
    await writeFileDurably(join(folder, 'a'), utf8(''));
    await removeDurably(join(folder, 'a'));
    await removeDurably(join(folder, 'a'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives a full disk its own code', () => {
    const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
    const error = fileError('writing', '/x', cause);
    expect(error.code).toBe('system/no-space');
    expect(error.describe()).toContain(SYSTEM_ERRORS['system/no-space']);
  });
});

describe('secret files', () => {
  it('writes with mode 0600 and reads back', async () => {
    const path = join(temporaryFolder(), 'key');
    await writeSecretFile(path, utf8('k'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await readSecretFile(path)).toEqual(utf8('k'));
  });

  it.each([0o640, 0o604, 0o620, 0o601, 0o644])('refuses a secret file with mode %o', async (mode) => {
    const path = join(temporaryFolder(), 'key');
    await writeSecretFile(path, utf8('top secret'));
    chmodSync(path, mode);
    const refusal = await readSecretFile(path).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'system/secret-exposed' });
    expect(String(refusal)).not.toContain('top secret');
  });

  it('never overwrites a secret unless asked', async () => {
    const path = join(temporaryFolder(), 'key');
    await writeSecretFile(path, utf8('one'));
    await expect(writeSecretFile(path, utf8('two'))).rejects.toMatchObject({ code: 'system/exists' });
    expect(readFileSync(path, 'utf8')).toBe('one');
    await writeSecretFile(path, utf8('two'), { replace: true });
    expect(readFileSync(path, 'utf8')).toBe('two');
  });

  it('refuses a file far too large to be a key', async () => {
    const path = join(temporaryFolder(), 'key');
    await writeSecretFile(path, new Uint8Array(300 * 1024));
    await expect(readSecretFile(path)).rejects.toMatchObject({ code: 'system/too-large' });
  });

  it('refuses a folder in the place of a secret', async () => {
    const path = join(temporaryFolder(), 'key');
    await makeDirectory(path);
    await expect(readSecretFile(path)).rejects.toMatchObject({ code: 'system/not-found' });
  });
});
