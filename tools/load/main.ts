// npm run load: many silos on one machine. Coordinator, agents, keys, mutual TLS, masks and checks are the real ones; the agents share a
// few processes, and only the training on records is replaced by a cheap change of the parameters.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { readClientConfig } from '../../src/config/index.js';
import { readTlsFiles } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectAdmin, type AdminClient } from '../../src/transport/index.js';
import { found, makeJob, writeConfigs, type Founded } from './founding.js';
import { memoryBound } from './bound.js';
import { Coordinator, startHosts, stopAll, type Measurement } from './processes.js';
import { followRounds, type RoundTimes } from './rounds.js';

const whole =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`expected a whole number from ${String(low)} to ${String(high)}`);
    return value;
  };

interface Options {
  readonly smoke?: boolean;
  readonly leak?: boolean;
  readonly silos: number;
  readonly rounds: number;
  readonly dimension: number;
  readonly bits: number;
  readonly processes: number;
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
  .option('--bits <m>', 'bits of the modulus, 16 to 32', whole(16, 32), 32)
  .option('--processes <p>', 'processes that the agents share', whole(1, 200), Math.max(2, cpus().length))
  .option('--json <file>', 'write the figures as JSON')
  .option('--keep <dir>', 'keep state folders and logs here')
  .parse();
const given = program.opts<Options>();
const small = { silos: 5, processes: 2 };
const options: Options = {
  ...given,
  ...(given.smoke === true ? { ...small, rounds: 2, dimension: 2_000 } : {}),
  ...(given.leak === true ? { ...small, rounds: 200, dimension: 1_000 } : {}),
};

const MiB = 1024 ** 2;
const mib = (bytes: number): string => (bytes / MiB).toFixed(0);
const seconds = (ms: number): string => (ms / 1000).toFixed(2);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// No proxy stands between processes of one machine.
process.env['no_grpc_proxy'] = '127.0.0.1,localhost';
const folder = given.keep ?? (await mkdtemp(join(tmpdir(), 'veilsum-load-')));
const stop = new AbortController();
process.once('SIGINT', () => {
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
  const { silos, rounds, dimension, bits, processes } = options;
  const founded = await found(folder, silos);
  const { coordinator, port, startedMs } = await Coordinator.start(founded.at('coordinator.yaml'));
  const children = [coordinator.child];
  try {
    await writeConfigs(founded, port);
    const idle = await coordinator.measure();
    say(
      `${String(silos)} silos in ${String(processes)} processes, ${String(rounds)} rounds, m = ${String(bits)}; coordinator up in ${seconds(startedMs)} s with ${mib(idle.rssBytes)} MiB`,
    );
    children.push(
      ...(await startHosts(
        founded.silos.map((silo) => founded.at(`${silo}.yaml`)),
        processes,
      )),
    );
    const client = await connectOperator(founded);
    const job = await makeJob(founded, { dimension, rounds, modulusBits: bits });
    await client.putBlob(() => chunks(job.model));
    await client.createJob({ manifest: job.manifest });
    say(`model of ${String(job.parameters)} parameters offered`);
    const done = await watch(client, coordinator);
    client.close();
    return await report(done, idle, await coordinator.measure(), job.parameters);
  } finally {
    await stopAll(children);
  }
}

interface Done {
  readonly rounds: readonly RoundTimes[];
  /** After a tenth of the rounds, when caches are warm. */
  readonly early: Measurement | undefined;
}

async function watch(client: AdminClient, coordinator: Coordinator): Promise<Done> {
  const rounds: RoundTimes[] = [];
  let early: Measurement | undefined;
  const warm = Math.max(1, Math.floor(options.rounds / 10));
  await followRounds(
    client,
    async (round) => {
      rounds.push(round);
      if (round.round === warm) early = await coordinator.measure();
      if (options.rounds <= 20 || round.round % 20 === 0) say(line(round));
    },
    stop.signal,
  );
  return { rounds, early };
}

function line({ round, survivors, result, attempts, totalMs, phases }: RoundTimes): string {
  const all = Object.entries(phases).map(([phase, ms]) => `${phase} ${seconds(ms)}`);
  const how = result ? '' : ' ABANDONED';
  const again = attempts > 1 ? ` attempt ${String(attempts)}` : '';
  return `  round ${String(round).padStart(3)}${how}${again}  ${String(survivors)} in the sum  ${seconds(totalMs)} s: ${all.join(', ')}`;
}

async function report(
  { rounds, early }: Done,
  idle: Measurement,
  end: Measurement,
  parameters: number,
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
      `after ${String(Math.max(1, Math.floor(options.rounds / 10)))} rounds and at the end: heap ${mib(early.heapBytes)} and ${mib(end.heapBytes)} MiB, outside it ${mib(early.externalBytes)} and ${mib(end.externalBytes)} MiB, descriptors ${String(early.descriptors)} and ${String(end.descriptors)}`,
    );
  if (options.json !== undefined)
    await writeFile(
      options.json,
      `${JSON.stringify({ silos, rounds: options.rounds, dimension, parameters, bits, results, medianMs: median, boundBytes: bound, idle, early, end, perRound: rounds }, null, 2)}\n`,
    );
  return results === options.rounds && within;
}

async function connectOperator({ at }: Founded): Promise<AdminClient> {
  const { coordinator, tls, consortium } = await readClientConfig(at('operator.yaml'));
  return connectAdmin({
    address: coordinator.address,
    serverName: coordinator.serverName,
    tls: await readTlsFiles(tls),
    consortium,
    clock: systemClock,
    rng: systemRng,
  });
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = MiB;
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
