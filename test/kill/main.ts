// npm run kill: real programs killed by SIGKILL, and everything that must be true of them afterwards.
//   npm run kill -- --all                     at every failpoint that a complete run passes
//   npm run kill -- --all --program agent     of one of the two programs alone
//   npm run kill -- --cluster --only cluster  of two coordinators on one database
//   npm run kill -- --minutes 10 --seed 1     at random times

import { parseArgs } from 'node:util';
import { Consortium } from '../support/e2e/consortium.js';
import { killAt, killAtRandom, killAtStop, type Report } from './battery.js';
import { killInCluster } from './cluster.js';
import { tracePoints } from './points.js';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(what: string, { deaths, jobs, wrong }: Report): number {
  say(`${what}: ${deaths.length} deaths, ${jobs} jobs completed, ${wrong.length === 0 ? 'nothing wrong' : 'WRONG:'}`);
  for (const one of wrong) say(`  ${one}`);
  return wrong.length;
}

async function everywhere(only: RegExp, program: string): Promise<number> {
  const consortium = await Consortium.found({ silos: 3 });
  const points = await tracePoints(consortium).finally(() => consortium.close());
  const { agent, coordinator } = points;
  say(
    `a complete run passes ${agent.working.length} failpoints in an agent and ${agent.stopping.length} when it stops,`,
  );
  say(`${coordinator.working.length} in the coordinator and ${coordinator.stopping.length} when it stops`);
  const chosen = (names: readonly string[]): string[] => names.filter((name) => only.test(name));
  let wrong = 0;
  if (program !== 'coordinator') {
    wrong += tell('agent', await killAt({ agent: chosen(agent.working) }, say));
    wrong += tell('agent that stops', await killAtStop('agent', chosen(agent.stopping)));
  }
  if (program !== 'agent') {
    wrong += tell('coordinator', await killAt({ coordinator: chosen(coordinator.working) }, say));
    wrong += tell('coordinator that stops', await killAtStop('coordinator', chosen(coordinator.stopping)));
  }
  return wrong;
}

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    program: { type: 'string', default: 'both' },
    cluster: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
if (!['both', 'agent', 'coordinator'].includes(values.program)) throw new Error('--program is agent or coordinator');
const minutes = Number(values.minutes);
let wrong = 0;
if (values.cluster) wrong += tell('two coordinators', await killInCluster(new RegExp(values.only), say));
else if (values.all || values.only !== '') wrong += await everywhere(new RegExp(values.only), values.program);
if (minutes > 0) wrong += tell('random times', await killAtRandom(minutes, Number(values.seed), say));
if (!values.all && !values.cluster && values.only === '' && !(minutes > 0))
  say('say --all, --only PATTERN, --cluster, or --minutes N with --seed S');
process.exitCode = wrong > 0 ? 1 : 0;
