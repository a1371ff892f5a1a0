// The compiled program as a shell starts it: exit codes, and output that is not coloured when nobody looks.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { built, startNode } from '../../support/built-program.js';

describe('veilsum-audit', () => {
  it('can be started as a program', () => {
    expect(readFileSync(built('auditor/main.ts'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('prints its help, uncoloured, and ends well', async () => {
    const { code, stdout, stderr } = await startNode([built('auditor/main.ts'), '--help']).ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: veilsum-audit');
    expect(stdout).not.toContain('\u001b');
  });

  it('ends with the code of what went wrong', async () => {
    const { code, stdout, stderr } = await startNode([built('auditor/main.ts'), 'jobs']).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('audit/no-config');
  });
});
