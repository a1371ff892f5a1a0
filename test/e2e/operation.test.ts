// What an operator meets: starting, stopping, two at once, wrong files, a coordinator that is not there.

import { chmod, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../src/system/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { agentYaml } from '../support/e2e/founding.js';
import { statisticsFile, statisticsManifest } from '../support/e2e/jobs.js';
import { endOf, eventually, startProgram, type Ended } from '../support/e2e/processes.js';

let consortium: Consortium;
let agent: string;

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  agent = consortium.silos[0]!;
  await consortium.start(consortium.silos.slice(0, 2));
  await connected(consortium.silos.slice(0, 2));
});

afterAll(() => consortium.close());

async function connected(silos: readonly string[], times = 1): Promise<void> {
  await eventually('connections of the agents', () => {
    const seen = consortium.log('coordinator').filter(({ event }) => event === 'silo.connected');
    return silos.every((silo) => seen.filter((line) => line['silo'] === silo).length >= times);
  });
}

const run = (program: 'coordinator' | 'agent', config: string): Promise<Ended> =>
  endOf(startProgram(program, ['run', '--config', consortium.founded.at(config)]), `${program} with ${config}`);

it.each([
  ['agent', 'state/hospital-a'],
  ['coordinator', 'state/coordinator'],
] as const)('refuses a second %s on the state folder of one that runs', async (program, folder) => {
  const end = await run(program, program === 'agent' ? `${agent}.yaml` : 'coordinator.yaml');
  expect(end.code).toBe(EXIT.failed);
  expect(end.stderr).toContain('system/state-in-use');
  expect(end.stderr).toContain(folder);
  const first = consortium.running(program === 'agent' ? agent : 'coordinator');
  expect(first.child.exitCode).toBe(null);
});

it.each([
  ['agent', 'hospital-c', 'hospital-c.key'],
  ['agent', 'hospital-c', 'hospital-c.tls.pem'],
  ['coordinator', 'coordinator', 'coordinator.key'],
] as const)('refuses a %s whose key file others may read: %s, %s', async (program, name, file) => {
  const path = consortium.founded.at(file);
  await chmod(path, 0o644);
  const end = await run(program, `${name}.yaml`);
  await chmod(path, 0o600);
  expect(end.code).toBe(EXIT.failed);
  expect(end.stderr).toContain('system/secret-exposed');
  expect(end.stderr).toContain(`chmod 600 ${path}`);
});

it('refuses a configuration with an unknown key, and names it and the one that was meant', async () => {
  const { founded, port } = consortium;
  const text = agentYaml(founded, { silo: 'hospital-c', port });
  await writeFile(founded.at('typo.yaml'), text.replace('minHonest', 'minHonset'));
  const end = await run('agent', 'typo.yaml');
  expect(end.code).toBe(EXIT.usage);
  expect(end.stderr).toContain('minHonset');
  expect(end.stderr).toContain('did you mean minHonest?');
});

it('lets an agent wait for a coordinator that is away, saying so each time, and go on when it is back', async () => {
  const coordinator = consortium.running('coordinator');
  coordinator.child.kill('SIGTERM');
  expect(await endOf(coordinator, 'the coordinator')).toMatchObject({ code: EXIT.ok, signal: null });
  const lost = (): number => consortium.log(agent).filter(({ event }) => event === 'connection.lost').length;
  await eventually('three failures to connect', () => lost() >= 3, { why: () => consortium.tail(agent) });
  const codes = consortium.log(agent).filter(({ event }) => event === 'connection.lost');
  expect(codes.map(({ code }) => code)).toContain('transport/unreachable');
  expect(consortium.running(agent).child.exitCode).toBe(null);
  await consortium.startCoordinator();
  await connected([agent], 2);
});

it('ends an agent on SIGTERM while it waits for a coordinator that is away', async () => {
  const silo = consortium.silos[2]!;
  await writeFile(
    consortium.founded.at(`${silo}.yaml`),
    // Nobody listens on port 1.
    agentYaml(consortium.founded, { silo, port: 1 }),
  );
  const waiting = consortium.startAgent(silo);
  await eventually('a failure to connect', () => consortium.log(silo).some(({ event }) => event === 'connection.lost'));
  waiting.child.kill('SIGTERM');
  expect(await endOf(waiting, silo)).toMatchObject({ code: EXIT.ok, signal: null, stderr: '' });
  await consortium.configureAgent({ silo });
});

it('ends an agent on SIGTERM in the middle of a round, and finishes the round with it afterwards', async () => {
  const { silos, roster } = consortium.founded;
  const [stopped, held] = [silos[1]!, silos[2]!];
  // Holds the round at its upload.
  const holder = consortium.startAgent(held, 'silo.before-upload');
  const manifest = await consortium.offer(statisticsManifest(statisticsFile('sums', silos), roster.hash));
  await consortium.approve(manifest);
  await endOf(holder, held, () => consortium.tail(held));
  const running = consortium.running(stopped);
  running.child.kill('SIGTERM');
  expect(await endOf(running, stopped)).toMatchObject({ code: EXIT.ok, signal: null, stderr: '' });
  expect(consortium.log(stopped).at(-1)!.event).toBe('program.stopped');
  consortium.startAgent(stopped);
  consortium.startAgent(held);
  await consortium.finished('sums');
  const [round] = await consortium.acknowledgedRounds('sums');
  expect(round!.attempt).toBe(1);
  expect(round!.survivors).toEqual(silos);
});
