import { describe, expect, it } from 'vitest';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { desk, runCommand } from './desk.js';

describe('veilsum-audit --print-config', () => {
  it('prints the resolved configuration and withholds where secrets lie', async () => {
    const at = await desk(new MemoryConsortium(4));
    const { code, out } = await at.run('--print-config');
    expect(code).toBe(0);
    expect(out).toContain('consortium: test');
    expect(out).toContain('(withheld)');
    expect(out).not.toMatch(/signing: \//);
  });

  it('asks for a configuration when none is named, and for a command when nothing is asked', async () => {
    expect(await runCommand(['--print-config'])).toMatchObject({ code: 2 });
    expect((await runCommand([])).code).toBe(2);
  });
});
