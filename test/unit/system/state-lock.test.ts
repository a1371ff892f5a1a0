import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockStateDirectory } from '../../../src/system/index.js';
import type { Running } from '../../support/built-program.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

function startHolder(folder: string, after = 'setInterval(() => undefined, 1000);'): Running {
  return startScript(`import { lockStateDirectory } from ${JSON.stringify(builtUrl('src/system/index.ts'))};
    try {
      const lock = await lockStateDirectory(${JSON.stringify(folder)});
      console.log('held');
      ${after}
    } catch (error) { console.log('refused ' + error.code); }`);
}

describe('the lock on a state folder', () => {
  it('refuses a second holder in the same process until it is released', async () => {
    const folder = temporaryFolder();
    const lock = await lockStateDirectory(folder);
    await expect(lockStateDirectory(folder)).rejects.toMatchObject({ code: 'system/state-in-use' });
    await lock.release();
    await (await lockStateDirectory(folder)).release();
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('refuses while another process runs, and lets the next in after kill -9 without cleaning up', async () => {
    const folder = temporaryFolder();
    const holder = startHolder(folder);
    await holder.line('held');
    await expect(lockStateDirectory(folder)).rejects.toMatchObject({ code: 'system/state-in-use' });
    holder.child.kill('SIGKILL');
    expect((await holder.ended).signal).toBe('SIGKILL');
    const lock = await lockStateDirectory(folder);
    await expect(lockStateDirectory(folder)).rejects.toMatchObject({ code: 'system/state-in-use' });
    await lock.release();
  });

  it('lets exactly one of several in when they find a dead holder together', async () => {
    const folder = temporaryFolder();
    const dead = startHolder(folder);
    await dead.line('held');
    dead.child.kill('SIGKILL');
    await dead.ended;
    const runners = Array.from({ length: 4 }, () => startHolder(folder));
    const lines = await Promise.all(runners.map((runner) => runner.line('')));
    for (const runner of runners) runner.child.kill('SIGKILL');
    await Promise.all(runners.map((runner) => runner.ended));
    expect(lines.filter((line) => line === 'held')).toHaveLength(1);
    expect(lines.filter((line) => line === 'refused system/state-in-use')).toHaveLength(3);
  });

  it('is not fooled by a process id that the kernel has given to somebody else', async () => {
    const folder = temporaryFolder();
    const stale = { pid: process.pid, started: 'another boot/1', host: hostname() };
    writeFileSync(join(folder, 'lock.7'), JSON.stringify(stale));
    await lockStateDirectory(folder);
    expect(readdirSync(folder)).toEqual(['lock.8']);
    expect(readFileSync(join(folder, 'lock.8'), 'utf8')).toContain(`"pid":${process.pid},`);
  });

  it('refuses what was last held on another machine, and names the file to delete', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'lock.3'), JSON.stringify({ pid: 1, started: 'x', host: 'elsewhere.example' }));
    const refusal: unknown = await lockStateDirectory(folder).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'system/state-held-elsewhere' });
    expect(refusal).toHaveProperty('remedy', expect.stringContaining('lock.3'));
  });

  it.each(['', 'garbage', '{"pid":"1"}', '[]', 'null'])('refuses a damaged lock file %j', async (text) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'lock.1'), text);
    await expect(lockStateDirectory(folder)).rejects.toMatchObject({ code: 'system/lock-damaged' });
    expect(readdirSync(folder)).toEqual(['lock.1']);
  });
});
