// npm run load: many silos on one machine. Coordinator, agents, keys, mutual TLS, masks and checks are the real ones; the agents share a
// few processes, and only the training on records is replaced by a cheap change of the parameters.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { graphParameters } from '../../src/privacy/index.js';
import { memoryBound } from './bound.js';
import { runConsortium, type ConsortiumOptions, type Ran } from './consortium.js';
import { usualMasking, type Masking } from './founding.js';
import type { Measurement } from './processes.js';
import type { RoundTimes } from './rounds.js';

const whole =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`expected a whole number from ${String(low)} to ${String(high)}`);
    return value;
  };

interface Options extends ConsortiumOptions {
  readonly graph: 'complete' | 'regular';
  readonly malicious?: number;
  readonly absent?: number;
  readonly smoke?: boolean;
  readonly leak?: boolean;
  readonly json?: string;
  readonly keep?: string;
}

const program = new Command('npm run load --')
  .description('Many silos against one coordinator on this machine: per-phase times, memory against its bound, leaks.')
  .option('--smoke', '5 silos, 2 rounds, 2,000 parameters')
  .option('--leak', '5 silos, 200 rounds, 1,000 parameters: does anything grow?')
  .option('--silos <n>', 'silos, 3 to 200', whole(3, 200), 200)
  .option('--rounds <n>', 'rounds', whole(1, 10_000), 20)
  .option('--dimension <d>', 'parameters of the model, about', whole(200, 90_000_000), 100_000)
  .option('--bits <m>', 'bits of the modulus, 16 to 32; as the manifest chooses unless given', whole(16, 32))
  .option(
    '--processes <p>',
    'processes that the agents share: one event loop must not stand still for long',
    whole(1, 200),
    8,
  )
  .addOption(new Option('--graph <kind>', 'who masks with whom').choices(['complete', 'regular']).default('complete'))
  .option(
    '--malicious <c>',
    'silos that may collude; a third without one, or with a regular graph a fortieth',
    whole(0, 66),
  )
  .option('--absent <a>', 'silos that may be missing with a regular graph; a tenth unless given', whole(0, 66))
  .option('--json <file>', 'write the figures as JSON')
  .option('--profile <dir>', 'write processor profiles of the coordinator and of one process of agents here')
  .option('--keep <dir>', 'keep state folders and logs here')
  .parse();
const given = program.opts<Options>();
const small = { silos: 5, processes: 2 };
const sized = {
  ...given,
  ...(given.smoke === true ? { ...small, rounds: 2, dimension: 2_000 } : {}),
  ...(given.leak === true ? { ...small, rounds: 200, dimension: 1_000 } : {}),
};
const regular = given.graph === 'regular';
const usual = usualMasking(sized.silos);
const masking: Masking = {
  malicious: given.malicious ?? (regular ? Math.max(1, Math.floor(sized.silos / 40)) : usual.malicious),
  absent: regular ? (given.absent ?? Math.floor(sized.silos / 10)) : undefined,
};
const options: Options = { ...sized, masking };

const MiB = 1024 ** 2;
const mib = (bytes: number): string => (bytes / MiB).toFixed(0);
const seconds = (ms: number): string => (ms / 1000).toFixed(2);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** After a tenth of the rounds caches are warm. */
const warm = Math.max(1, Math.floor(options.rounds / 10));

// No proxy stands between processes of one machine.
process.env['no_grpc_proxy'] = '127.0.0.1,localhost';
const folder = given.keep ?? (await mkdtemp(join(tmpdir(), 'veilsum-load-')));
const stop = new AbortController();
for (const end of ['SIGINT', 'SIGTERM'])
  process.once(end, () => {
    stop.abort(new Error('interrupted'));
  });
let failed = false;
try {
  failed = !(await load());
} catch (error) {
  failed = true;
  say(`The load test failed: ${error instanceof Error ? error.message : String(error)}`);
  say(`State folders and logs: ${folder}`);
} finally {
  if (given.keep === undefined && !failed) await rm(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

async function load(): Promise<boolean> {
  const { silos, rounds, processes } = options;
  say(graphWords());
  const done: RoundTimes[] = [];
  let early: Measurement | undefined;
  const ran = await runConsortium(
    folder,
    options,
    {
      onIdle: (idle, startedMs) => {
        say(
          `${String(silos)} silos in ${String(processes)} processes, ${String(rounds)} rounds; coordinator up in ${seconds(startedMs)} s with ${mib(idle.rssBytes)} MiB`,
        );
      },
      onOffered: (parameters, m) => {
        say(`model of ${String(parameters)} parameters offered, m = ${String(m)}`);
      },
      onRound: async (round, coordinator) => {
        done.push(round);
        if (round.round === warm) early = await coordinator.measure();
        if (rounds <= 20 || round.round % 20 === 0) say(line(round));
      },
    },
    stop.signal,
  );
  return report(done, early, ran);
}

/** What each silo does in a round because of the graph. */
function graphWords(): string {
  const { silos } = options;
  const { malicious, absent } = masking;
  const graph = absent === undefined ? undefined : graphParameters(silos, malicious, absent);
  if (absent === undefined || graph === undefined)
    return `complete graph, c = ${String(malicious)}: each silo masks with ${String(silos - 1)} others`;
  const { degree, shareThreshold } = graph;
  return `regular graph, c = ${String(malicious)}, ${String(absent)} may be absent: each silo masks with ${String(degree)} of ${String(silos - 1)} others, ${String(shareThreshold)} shares give a secret`;
}

function line({ round, survivors, result, attempts, totalMs, phases }: RoundTimes): string {
  const all = Object.entries(phases).map(([phase, ms]) => `${phase} ${seconds(ms)}`);
  const how = result ? '' : ' ABANDONED';
  const again = attempts > 1 ? ` attempt ${String(attempts)}` : '';
  return `  round ${String(round).padStart(3)}${how}${again}  ${String(survivors)} in the sum  ${seconds(totalMs)} s: ${all.join(', ')}`;
}

async function report(
  rounds: readonly RoundTimes[],
  early: Measurement | undefined,
  { idle, end, parameters }: Ran,
): Promise<boolean> {
  const { silos, bits, dimension } = options;
  const bound = memoryBound(parameters, silos);
  const results = rounds.filter(({ result }) => result).length;
  const times = rounds.map(({ totalMs }) => totalMs).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? NaN;
  say(`${String(results)} of ${String(options.rounds)} rounds with a result, median ${seconds(median)} s`);
  const within = end.peakBytes <= bound;
  say(
    `coordinator: at most ${mib(end.peakBytes)} MiB resident, bound ${mib(bound)} MiB (docs/operations.md): ${within ? 'kept' : 'BROKEN'}`,
  );
  if (early !== undefined)
    say(
      `after ${String(warm)} rounds and at the end: heap ${mib(early.heapBytes)} and ${mib(end.heapBytes)} MiB, outside it ${mib(early.externalBytes)} and ${mib(end.externalBytes)} MiB, descriptors ${String(early.descriptors)} and ${String(end.descriptors)}`,
    );
  if (options.json !== undefined)
    await writeFile(
      options.json,
      `${JSON.stringify({ silos, graph: options.graph, ...masking, rounds: options.rounds, dimension, parameters, bits, results, medianMs: median, boundBytes: bound, idle, early, end, perRound: rounds }, null, 2)}\n`,
    );
  return results === options.rounds && within;
}
