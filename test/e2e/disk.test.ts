// Disks that are full, read-only, broken or damaged: what the programs say, how they end, and that nothing acknowledged is lost.

import { cpSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/system/index.js';
import { wrongDisks, wrongRounds } from '../kill/checks.js';
import { runJobs, type DoneJob } from '../kill/jobs.js';
import { settled } from '../kill/points.js';
import { Consortium } from '../support/e2e/consortium.js';
import { startLimited } from '../support/e2e/limited.js';
import { endOf, eventually, startProgram, type Ended } from '../support/e2e/processes.js';

let consortium: Consortium;
let agent: string;
const ends: Record<string, Ended> = {};
const jobs: DoneJob[] = [];
let wrong: string[];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  const { at, silos } = consortium.founded;
  agent = silos[0]!;
  await consortium.start(silos.slice(1));
  // An agent whose files may not grow: it dies of its journal, and goes on from there without the limit.
  const small = startLimited('silo-agent', ['run', '--config', at(`${agent}.yaml`)], 32);
  const first = runJobs(consortium, 1, false);
  first.catch(() => undefined);
  ends['agent'] = await endOf(small, 'the agent', () => consortium.tail(agent));
  const held = consortium.startAgent(agent, 'silo.before-upload');
  await endOf(held, `${agent} before its upload`, () => consortium.tail(agent));
  await uploadsOf(2);
  // The two others have their receipts: the coordinator loses one byte of what it confirmed.
  await consortium.kill('coordinator');
  const upload = at('state', 'coordinator', 'uploads', (await uploadsOf(2))[0]!);
  const bytes = readFileSync(upload);
  truncateSync(upload, bytes.length - 1);
  ends['coordinator that lost a byte'] = await ran('coordinator', 'run');
  ends['fsck of a lost byte'] = await ran('coordinator', 'fsck');
  writeFileSync(upload, Buffer.concat([bytes.subarray(0, -1), Buffer.of(bytes.at(-1)! ^ 1)]));
  ends['fsck of a changed byte'] = await ran('coordinator', 'fsck');
  writeFileSync(upload, bytes);
  ends['fsck of what was put back'] = await ran('coordinator', 'fsck');
  // And then there is room for every file but its journal: it starts, and dies of the first commit that takes a later page.
  const full = startLimited('coordinator', ['run', '--config', at('coordinator.yaml')], roomWithoutJournal());
  consortium.startAgent(agent);
  ends['coordinator'] = await endOf(full, 'the coordinator', () => consortium.tail('coordinator'));
  await consortium.startCoordinator();
  jobs.push(...(await first));
  await settled(consortium, ['sums-1']);
  wrong = await wrongRounds(consortium, jobs);
  await consortium.stopPrograms();
  wrong.push(...(await wrongDisks(consortium)));
});

afterAll(() => consortium.close());

function uploadsOf(count: number): Promise<string[]> {
  return eventually(
    'confirmed uploads',
    () => {
      const confirmed = consortium.silos.filter((silo) =>
        consortium.log(silo).some(({ event }) => event === 'round.uploaded'),
      );
      return confirmed.length >= count && readdirSync(consortium.founded.at('state', 'coordinator', 'uploads'));
    },
    { why: () => consortium.silos.map((silo) => consortium.tail(silo)).join('\n') },
  );
}

/** KiB that no file of the coordinator exceeds but its journal, which is longer. */
function roomWithoutJournal(): number {
  const folder = consortium.founded.at('state', 'coordinator');
  const sizes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('journal'))
    .map((name) => statSync(join(folder, name)).size);
  const room = Math.ceil(Math.max(...sizes) / 4096) * 4 + 4;
  expect(statSync(join(folder, 'journal', 'data.mdb')).size / 1024).toBeGreaterThan(room);
  return room;
}

const ran = (name: string, command: 'run' | 'fsck'): Promise<Ended> =>
  endOf(
    startProgram(name === 'coordinator' ? name : 'agent', [command, '--config', consortium.founded.at(`${name}.yaml`)]),
    `${command} of ${name}`,
  );

describe('a disk without space', () => {
  it.each(['agent', 'coordinator'])('ends the %s with exit code 5 and a word about the disk', (program) => {
    const { code, signal } = ends[program]!;
    expect({ code, signal }).toEqual({ code: EXIT.storageDamaged, signal: null });
    const log = consortium.log(program === 'agent' ? agent : program);
    const last = log.filter(({ event }) => event === 'program.internal-error').at(-1);
    expect(last).toMatchObject({ code: 'storage/persist-failed', fatal: true });
  });

  it('costs nothing that was acknowledged: the round ends with everybody in it, exact, in one attempt', () => {
    expect(jobs).toHaveLength(1);
    expect(wrong).toEqual([]);
  });
});

describe('a confirmed upload that is no longer whole', () => {
  it('keeps the coordinator from starting, with the name of the upload and what is missing', () => {
    const { code, stderr } = ends['coordinator that lost a byte']!;
    expect(code).toBe(EXIT.storageDamaged);
    expect(stderr).toMatch(/storage\/damaged: the upload [0-9a-f.]+ has \d+ bytes, and \d+ were confirmed/);
  });

  it('is found by fsck, cut or changed, and is whole again when it was put back', () => {
    expect(ends['fsck of a lost byte']!.code).toBe(EXIT.storageDamaged);
    expect(ends['fsck of a lost byte']!.stdout).toMatch(/uploads +1 whole +1 NOT WHOLE/);
    expect(ends['fsck of a changed byte']!.code).toBe(EXIT.storageDamaged);
    expect(ends['fsck of a changed byte']!.stdout).toContain('its bytes are not those that were confirmed');
    expect(ends['fsck of what was put back']!.code).toBe(EXIT.ok);
    expect(ends['fsck of what was put back']!.stdout).toMatch(/uploads +2 whole +whole/);
  });
});

describe('a journal whose file is damaged', () => {
  const journal = (): string => consortium.founded.at('state', agent, 'journal', 'data.mdb');
  let whole: Buffer;

  beforeAll(() => {
    whole = readFileSync(journal());
    cpSync(journal(), consortium.founded.at('whole.mdb'));
  });

  it('by being cut, is reported by fsck, which still looks at the other parts, and by a start; neither dies of it', async () => {
    truncateSync(journal(), Math.floor(whole.length / 2 / 4096) * 4096);
    const checked = await ran(agent, 'fsck');
    expect({ code: checked.code, signal: checked.signal }).toEqual({ code: EXIT.storageDamaged, signal: null });
    expect(checked.stdout).toMatch(/its reader was ended by SIG(BUS|SEGV). It has \d+ bytes and says that it has \d+/);
    expect(checked.stdout).toMatch(/objects +1 whole +whole/);
    expect(checked.stdout).toContain('What to do:');
    const started = await ran(agent, 'run');
    expect({ code: started.code, signal: started.signal }).toEqual({ code: EXIT.storageDamaged, signal: null });
    expect(started.stderr).toContain('storage/damaged: data.mdb cannot be read');
    writeFileSync(journal(), whole);
    expect((await ran(agent, 'fsck')).code).toBe(EXIT.ok);
  });

  it('by a page of other bytes, is reported by fsck', async () => {
    const damaged = Buffer.from(whole);
    // All but the first, which say where everything else is: which pages hold records differs from run to run.
    damaged.fill(0xff, 6 * 4096);
    writeFileSync(journal(), damaged);
    const { code, signal, stdout } = await ran(agent, 'fsck');
    writeFileSync(journal(), whole);
    expect({ code, signal }).toEqual({ code: EXIT.storageDamaged, signal: null });
    expect(stdout).toMatch(/journal +\d+ whole +\d+ NOT WHOLE/);
  });

  it('by one bit in a record, is reported by fsck with the record, and refused at a start', async () => {
    const damaged = Buffer.from(whole);
    // Beyond the two first pages and their headers, in sealed bytes.
    for (let page = 2; page * 4096 < damaged.length; page++) damaged[page * 4096 + 3000]! ^= 1;
    writeFileSync(journal(), damaged);
    const checked = await ran(agent, 'fsck');
    const started = await ran(agent, 'run');
    writeFileSync(journal(), whole);
    expect(checked.code).toBe(EXIT.storageDamaged);
    expect(started.code).toBe(EXIT.storageDamaged);
    expect(started.stderr).toMatch(/storage\//);
  });
});

describe('a file that cannot be read or written', () => {
  it('is named, with what the operating system said: an input/output error', async () => {
    const { at } = consortium.founded;
    cpSync(at(`${agent}.key`), at('kept.key'));
    rmSync(at(`${agent}.key`));
    // Reading a process's memory at 0 is an input/output error.
    symlinkSync('/proc/self/mem', at(`${agent}.key`));
    const { code, stderr } = await ran(agent, 'run');
    rmSync(at(`${agent}.key`));
    cpSync(at('kept.key'), at(`${agent}.key`));
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain('system/io: EIO while reading');
  });

  it('a log on a full disk is said once on standard error, and the program goes on', async () => {
    const { at } = consortium.founded;
    const text = readFileSync(at(`${agent}.yaml`), 'utf8');
    writeFileSync(at('full-log.yaml'), text.replace(/log: .*/, 'log: { file: /dev/full }'));
    const running = startProgram('agent', ['run', '--config', at('full-log.yaml')]);
    const seen = (): number =>
      consortium.log('coordinator').filter((one) => one.event === 'silo.connected' && one['silo'] === agent).length;
    const before = seen();
    const coordinator = await consortium.startCoordinator();
    await eventually('a connection of the agent without a log', () => seen() > before);
    running.child.kill('SIGTERM');
    const { code, stderr } = await endOf(running, 'the agent without a log');
    coordinator.child.kill('SIGTERM');
    await endOf(coordinator, 'the coordinator');
    expect(code).toBe(EXIT.ok);
    expect(stderr.match(/cannot be written \(ENOSPC/g)).toHaveLength(1);
  });

  it('a state folder that may not be written is refused at the start', async () => {
    const { at } = consortium.founded;
    const text = readFileSync(at(`${agent}.yaml`), 'utf8');
    // Linux lets nobody make a folder there, not even root.
    writeFileSync(at('read-only.yaml'), text.replace(/state: .*/, 'state: /sys/veilsum-state'));
    const config = at('read-only.yaml');
    const { code, stderr } = await endOf(startProgram('agent', ['run', '--config', config]), 'the agent');
    expect(code).toBe(EXIT.failed);
    expect(stderr).toMatch(/system\/permission: E(ROFS|PERM|ACCES) while creating the folder \/sys\/veilsum-state/);
  });
});
