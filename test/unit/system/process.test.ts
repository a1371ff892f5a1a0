import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXIT, failpoint, systemClock, systemRng, workerUrl } from '../../../src/system/index.js';
import type { Running } from '../../support/built-program.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const system = JSON.stringify(builtUrl('src/system/index.ts'));

describe('failpoints', () => {
  const script = `import { failpoint } from ${system};
    console.log('start'); failpoint('room.a'); console.log('a'); failpoint('room.b'); failpoint('room.b'); console.log('bb');
    failpoint('room.b'); console.log('end');`;

  it('do nothing when the variable is not set', async () => {
    failpoint('room.a');
    expect(await startScript(script).ended).toMatchObject({ code: 0, stdout: 'start\na\nbb\nend\n' });
  });

  it('end the process by SIGKILL at the named place', async () => {
    const end = await startScript(script, { VEILSUM_FAILPOINT: 'room.a' }).ended;
    expect(end.signal).toBe('SIGKILL');
    expect(end.stdout).not.toContain('end');
  });

  it('count hits with name@N, several by commas', async () => {
    const end = await startScript(script, { VEILSUM_FAILPOINT: 'room.other,room.b@3' }).ended;
    expect(end.signal).toBe('SIGKILL');
    expect(end.stdout).toBe('start\na\nbb\n');
  });

  it('refuse a misspelt list, so that a test cannot pass because nothing happened', async () => {
    const end = await startScript(script, { VEILSUM_FAILPOINT: 'room.a@0' }).ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('room.a@0');
  });
});

describe('shutdown', () => {
  function start(stop: string, boundMs = 60_000): Running {
    return startScript(`import { installShutdown, EXIT } from ${system};
      setInterval(() => undefined, 1000);
      installShutdown({ boundMs: ${boundMs}, report: (what) => console.log('report ' + what), stop: ${stop} });
      console.log('ready');`);
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'stops gracefully on %s and ends with the code of the callback',
    async (signal) => {
      const running = start(`async (signal) => { console.log('stopping ' + signal); return EXIT.ok; }`);
      await running.line('ready');
      running.child.kill(signal);
      expect(await running.ended).toMatchObject({ code: EXIT.ok, stdout: `ready\nstopping ${signal}\n` });
    },
  );

  it('ends at once on the second signal', async () => {
    const running = start(`() => { console.log('stopping'); return new Promise(() => undefined); }`);
    await running.line('ready');
    running.child.kill('SIGTERM');
    await running.line('stopping');
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({
      code: EXIT.interrupted,
      stdout: 'ready\nstopping\nreport second-signal\n',
    });
  });

  it('ends when the bound has passed', async () => {
    const running = start(`() => new Promise(() => undefined)`, 20);
    await running.line('ready');
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: EXIT.interrupted, stdout: 'ready\nreport bound-passed\n' });
  });

  it('says that stopping failed', async () => {
    const running = start(`() => { throw new Error('x'); }`);
    await running.line('ready');
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: EXIT.failed, stdout: 'ready\nreport stop-failed\n' });
  });
});

describe('the URL of a worker', () => {
  it('lies beside a compiled module', () => {
    expect(workerUrl('file:///app/dist/src/trainer/pool.js', './worker.js').href).toBe(
      'file:///app/dist/src/trainer/worker.js',
    );
  });

  it('is the compiled twin of a source module', () => {
    const here = new URL('../../../src/system/index.ts', import.meta.url).href;
    const url = workerUrl(here, './errors.js');
    expect(url.href).toMatch(/\/dist\/src\/system\/errors\.js$/);
    expect(existsSync(fileURLToPath(url))).toBe(true);
  });

  it('refuses a twin that is missing', () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'src'));
    mkdirSync(join(root, 'dist/src'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{}');
    writeFileSync(join(root, 'src/worker.ts'), '');
    const importer = pathToFileURL(join(root, 'src/pool.ts')).href;
    expect(() => workerUrl(importer, './worker.js')).toThrow(expect.objectContaining({ code: 'system/not-built' }));
    writeFileSync(join(root, 'dist/src/worker.js'), '');
    expect(workerUrl(importer, './worker.js').href).toBe(pathToFileURL(join(root, 'dist/src/worker.js')).href);
  });
});

describe('the world', () => {
  it('has a clock in whole milliseconds and randomness that does not repeat', () => {
    expect(Number.isSafeInteger(systemClock.now())).toBe(true);
    expect(systemClock.now()).toBeGreaterThan(Date.parse('2025-01-01'));
    expect(systemRng.bytes(32)).toHaveLength(32);
    expect(systemRng.bytes(32)).not.toEqual(systemRng.bytes(32));
  });
});
