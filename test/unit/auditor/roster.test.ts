// veilsum-audit roster: what people write, what members read, and the hash that they pin.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/base/index.js';
import { readRoster } from '../../../src/protocol/index.js';
import { found, keyFrom } from '../../support/memory/founding.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { runCommand } from './desk.js';

function key(name: string): string {
  return `'${hex(keyFrom(name).publicKey)}'`;
}

function rosterYaml(silos: readonly string[]): string {
  const members = silos.map(
    (silo) => `  - silo: ${silo}
    organisation: Hospital ${silo}
    signingKey: ${key(silo)}
    cosigningKey: ${key(`cosigning ${silo}`)}
    validFrom: 1970-01-01
    validUntil: 2099-12-31`,
  );
  return `consortium: test
operators: [{ id: olga, signingKey: ${key('operator/olga')} }]
auditors: [{ id: ada, signingKey: ${key('auditor/ada')} }]
coordinatorKey: ${key('coordinator')}
members:
${members.join('\n')}
`;
}

async function yamlFile(text: string): Promise<{ yaml: string; bin: string }> {
  const folder = temporaryFolder();
  const yaml = join(folder, 'roster.yaml');
  await writeFile(yaml, text);
  return { yaml, bin: join(folder, 'roster.bin') };
}

const NAMES = ['silo-000', 'silo-001', 'silo-002'];

describe('roster make', () => {
  it('writes what coordinator and silos read, and prints the hash they pin', async () => {
    const { yaml, bin } = await yamlFile(rosterYaml(NAMES));
    const { code, out } = await runCommand(['roster', 'make', yaml, '--out', bin, '--json']);
    expect(code).toBe(0);
    const roster = readRoster(new Uint8Array(await readFile(bin)));
    expect(JSON.parse(out)).toEqual({
      consortium: 'test',
      epoch: 0,
      members: NAMES,
      hash: hex(roster.hash),
      file: bin,
    });
    expect([...roster.members.keys()]).toEqual(NAMES);
    expect(roster.keyOf('operator/olga')).toEqual(found(3).roster.keyOf('operator/olga'));
  });

  it('does not replace a roster unless told to', async () => {
    const { yaml, bin } = await yamlFile(rosterYaml(NAMES));
    await writeFile(bin, 'older');
    const { code, err } = await runCommand(['roster', 'make', yaml, '--out', bin]);
    expect([code, err]).toEqual([2, expect.stringContaining('system/exists')]);
    expect(await readFile(bin, 'utf8')).toBe('older');
    expect((await runCommand(['roster', 'make', yaml, '--out', bin, '--force'])).code).toBe(0);
  });

  it('refuses what no member would accept, and writes nothing', async () => {
    const zeros = rosterYaml(NAMES).replace(key('coordinator'), `'${'00'.repeat(32)}'`);
    const { yaml, bin } = await yamlFile(zeros);
    const { code, err } = await runCommand(['roster', 'make', yaml, '--out', bin]);
    expect([code, err]).toEqual([2, expect.stringContaining('a key of coordinator is not a canonical Ed25519 key')]);
    expect(err).toContain('What it means:');
    await expect(readFile(bin)).rejects.toThrow();
  });

  it('names every bad field of the file', async () => {
    const { yaml, bin } = await yamlFile(
      rosterYaml(NAMES).replace('silo: silo-001', 'silo: Silo 1').replace('test', 'A'),
    );
    const { code, err } = await runCommand(['roster', 'make', yaml, '--out', bin]);
    expect(code).toBe(2);
    expect(err).toContain('consortium:');
    expect(err).toContain('members.1.silo:');
  });
});

describe('roster hash', () => {
  it('is the same for the file that people write and the one that is made from it, in any order of members', async () => {
    const { yaml, bin } = await yamlFile(rosterYaml(NAMES));
    await runCommand(['roster', 'make', yaml, '--out', bin]);
    const other = await yamlFile(rosterYaml([...NAMES].reverse()));
    const hashes = await Promise.all(
      [yaml, bin, other.yaml].map(async (file) => (await runCommand(['roster', 'hash', file])).out),
    );
    expect(new Set(hashes).size).toBe(1);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse((await runCommand(['roster', 'hash', bin, '--json'])).out)).toMatchObject({ hash: hashes[0] });
  });

  it('refuses a file that is no roster, or not there', async () => {
    const { yaml, bin } = await yamlFile('consortium: test\n');
    await writeFile(bin, 'no roster');
    for (const [file, sentence] of [
      [bin, 'audit/not-a-roster'],
      [yaml, 'config/invalid'],
      ['/nowhere/roster.bin', 'system/not-found'],
    ] as const) {
      const { code, out, err } = await runCommand(['roster', 'hash', file]);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(sentence);
    }
  });
});
