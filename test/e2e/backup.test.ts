// States that are copied and put back: a coordinator's goes on, an agent's older one is noticed by the log and sits out.

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/system/index.js';
import { runJobs } from '../kill/jobs.js';
import { Consortium } from '../support/e2e/consortium.js';
import { siloRecords } from '../support/e2e/journals.js';
import { endOf, eventually, startProgram, type Ended } from '../support/e2e/processes.js';

let consortium: Consortium;
let old: string;
let other: string;
const ends: Record<string, Ended> = {};
/** Kinds of the records in the agent's journal once it was put back. */
let restored: readonly (string | undefined)[] = [];

const command = (name: string, ...args: string[]): Promise<Ended> =>
  endOf(
    startProgram(name === 'coordinator' ? name : 'agent', [...args, '--config', consortium.founded.at(`${name}.yaml`)]),
    `${args[0]} of ${name}`,
  );

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  const { at, silos } = consortium.founded;
  [old, other] = [silos[0]!, silos[1]!];
  await consortium.start();
  // Its journal is cut down to the state between rounds before it is copied.
  await consortium.kill(old);
  await consortium.configureAgent({ silo: old, extra: 'retention: { roundSecrets: { hours: 0 } }\n' });
  consortium.startAgent(old);
  await eventually('the connection of the agent', () =>
    consortium.log('coordinator').some((line) => line.event === 'silo.connected' && line['silo'] === other),
  );
  ends['backup of one that runs'] = await command(other, 'backup', '--out', at('backups', 'running'));
  await runJobs(consortium, 1, false);
  await eventually('the journal of the agent to be cut', async () => {
    const [first] = await siloRecords(consortium.founded, old);
    return first?.event?.$case === 'stateKept';
  });
  await consortium.stopPrograms();
  ends['backup of an agent'] = await command(old, 'backup', '--out', at('backups', 'agent'));

  await consortium.start();
  await runJobs(consortium, 2, false);
  await consortium.stopPrograms();
  ends['backup of the coordinator'] = await command('coordinator', 'backup', '--out', at('backups', 'coordinator'));
  ends['over a state'] = await command('coordinator', 'restore', '--from', at('backups', 'coordinator'));
  rmSync(at('state', 'coordinator'), { recursive: true });
  ends['of another program'] = await command('coordinator', 'restore', '--from', at('backups', 'agent'));
  ends['restoring the coordinator'] = await command('coordinator', 'restore', '--from', at('backups', 'coordinator'));
  ends['fsck of the coordinator'] = await command('coordinator', 'fsck');
  rmSync(at('state', old), { recursive: true });
  ends['of another silo'] = await command(other, 'restore', '--from', at('backups', 'agent'));
  ends['restoring the agent'] = await command(old, 'restore', '--from', at('backups', 'agent'));
  ends['fsck of the agent'] = await command(old, 'fsck');
  restored = (await siloRecords(consortium.founded, old)).map(({ event }) => event?.$case);

  await consortium.start();
});

afterAll(() => consortium.close());

describe('a backup', () => {
  it('of a program that runs is refused', () => {
    expect(ends['backup of one that runs']).toMatchObject({ code: EXIT.failed });
    expect(ends['backup of one that runs']!.stderr).toContain('system/state-in-use');
  });

  it.each(['backup of an agent', 'backup of the coordinator'])('says what it holds, and what not: %s', (what) => {
    const { code, stdout } = ends[what]!;
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/^\d+ files copied to .*; state of 20.*Z, every byte checked$/m);
    expect(stdout).toMatch(/Not in it, and needed with it: .*storage\.key/);
  });

  it.each([
    ['over a state', 'storage/not-empty'],
    ['of another program', 'storage/backup-foreign'],
  ])('is not restored %s', (what, code) => {
    expect(ends[what]).toMatchObject({ code: EXIT.storageDamaged });
    expect(ends[what]!.stderr).toContain(code);
  });

  it('is not restored by another silo', () => {
    expect(ends['of another silo']!.stderr).toContain('storage/backup-foreign');
    expect(ends['of another silo']!.stderr).toContain(`the member of the backup is ${old}`);
  });
});

describe('a restored coordinator', () => {
  it('is whole, and goes on with new jobs', async () => {
    expect(ends['restoring the coordinator']).toMatchObject({ code: EXIT.ok });
    expect(ends['fsck of the coordinator']).toMatchObject({ code: EXIT.ok });
    const [done] = await runJobs(consortium, 3, false);
    expect(done!.job.roundsDone).toBe(1);
  });
});

describe('an agent restored to a state before its last round', () => {
  it('finds out from the log, says so, and takes part in what is new', async () => {
    expect(ends['restoring the agent']).toMatchObject({ code: EXIT.ok });
    expect(ends['fsck of the agent']).toMatchObject({ code: EXIT.ok });
    expect(restored[0]).toBe('stateKept');
    expect(restored).not.toContain('sharesReceived');
    expect(ends['restoring the agent']!.stdout).toContain('log/rolled-back');
    const notices = await eventually('the notice of the agent', () => {
      const found = consortium.log(old).filter(({ code }) => code === 'log/rolled-back');
      return found.length > 0 && found;
    });
    expect(notices[0]).toMatchObject({ job: 'sums-2' });
  });
});
