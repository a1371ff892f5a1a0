// npm run bench: what secure aggregation costs, against what the same machine can do in the same run.
//   --smoke        small sizes, well under a minute     --json FILE  the figures as data, written after every step
//   --huge         vectors of 1e8 as well                --no-docs    leave docs/performance.md and its pictures alone

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Command } from 'commander';
import { freeKeystreamsBy } from '../../src/crypto/index.js';
import { bufferFreeing } from '../../src/system/index.js';
import { measureAgentRound } from './agent-round.js';
import { secureToPlainApart } from './apart.js';
import type { Figures, Parts } from './figures.js';
import { chart, exponent } from './growth.js';
import { measureKernels, measureThreads } from './kernels.js';
import { machine, opensslGBs } from './machine.js';
import { markdown, writeInto } from './markdown.js';
import { measureNoise } from './noise.js';
import { measureStage, type Stage } from './stages.js';
import { measureStartUp } from './start-up.js';
import { measureTraining } from './training.js';
import { measureRounds, measureTransport } from './transport.js';

const {
  smoke = false,
  huge = false,
  docs,
  json,
} = new Command('npm run bench --')
  .description('Measures kernels, rounds, transport and start-up, and writes docs/performance.md.')
  .option('--smoke', 'small sizes only; writes no documents')
  .option('--huge', 'vectors of 100 million coordinates as well')
  .option('--no-docs', 'leave docs/performance.md and its pictures alone')
  .option('--json <file>', 'write the figures as JSON')
  .parse()
  .opts<{ smoke?: boolean; huge?: boolean; docs: boolean; json?: string }>();

process.env['no_grpc_proxy'] = '127.0.0.1,localhost';
// As the programs do.
freeKeystreamsBy(bufferFreeing());

/** Silos, parameters and timed rounds. Larger cohorts and vectors than these are measured by their stages. */
const WHOLE_ROUNDS = [
  [10, 1_000_000, 5],
  [10, 10_000_000, 3],
  [5, 100_000, 5],
  [5, 1_000_000, 5],
  [10, 100_000, 5],
  [50, 100_000, 2],
] as const;

/** Turns of each family of models; the fastest counts. */
const TRAINING_TURNS = 20;

const measuredOn = machine();
const openssl = opensslGBs(1);

const from = performance.now();
let parts: Parts = {};
const failed: string[] = [];

/** What a step finds is written at once; one that fails leaves the others their turn. */
async function step(name: string, measure: () => Promise<Parts> | Parts): Promise<void> {
  process.stderr.write(`${((performance.now() - from) / 1000).toFixed(0).padStart(5)} s  ${name}\n`);
  try {
    parts = { ...parts, ...(await measure()) };
  } catch (error) {
    failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.stderr.write(`         failed: ${failed.at(-1) ?? ''}\n`);
  }
  await keep(false);
}

async function keep(complete: boolean): Promise<Figures> {
  const figures = summed(complete);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`);
  return figures;
}

await step('kernels', async () => {
  const length = smoke ? 1 << 17 : 1 << 20;
  const kernels = measureKernels(length, smoke ? 3 : 15);
  // Each thread has several ranges.
  const maskThreads = await measureThreads(smoke ? 1 << 19 : 1 << 23, cpus().length, smoke ? 1 : 5);
  return { kernels: { ...kernels, maskThreads } };
});
await step('transport', async () => ({
  transport: await measureTransport((smoke ? 8 : 128) * 1024 ** 2, smoke ? 1 : 5),
}));
for (const n of smoke ? [5, 10] : [5, 10, 50, 200])
  for (const d of dimensions())
    await step(`stages of a round of ${String(n)} silos and ${d.toExponential(0)} parameters`, () => ({
      stages: [
        ...(parts.stages ?? []),
        ...[0, 0.1, 0.3].map((dropout) => measureStage(n, d, dropout, smoke ? 4e6 : 4e8)),
      ],
    }));
for (const [silos, dimension, rounds] of smoke ? ([[3, 2_000, 1]] as const) : WHOLE_ROUNDS)
  await step(`whole rounds of ${String(silos)} silos and ${dimension.toExponential(0)} parameters`, async () => ({
    rounds: [...(parts.rounds ?? []), await measureRounds(silos, dimension, rounds)],
  }));
await step('noise', () => ({ noise: measureNoise(smoke ? 10_000 : 1_000_000, smoke ? 1 : 5) }));
await step('a round of an agent', async () => ({
  agentRound: smoke ? await measureAgentRound(60, 1) : await measureAgentRound(2000, 5),
}));
if (!smoke)
  await step('training against PyTorch', async () => {
    const training = await measureTraining(TRAINING_TURNS, (what) => {
      process.stderr.write(`         ${what}\n`);
    });
    if (training === undefined) process.stderr.write('         not measured: python3-torch is not installed\n');
    return training === undefined ? {} : { training };
  });
await step('start-up', async () => ({ startUp: await measureStartUp() }));

const figures = await keep(true);
console.log(markdown(figures));
if (docs && !smoke) {
  await mkdir('docs/images', { recursive: true });
  for (const [file, picture] of Object.entries(charts(figures.stages ?? [])))
    await writeFile(`docs/images/${file}`, picture);
  await writeInto('docs/performance.md', figures);
}
process.exit(failed.length === 0 ? 0 : 1);

function summed(complete: boolean): Figures {
  const { kernels, transport, stages = [], rounds = [] } = parts;
  const round = rounds.find(({ silos, dimension }) => silos === 10 && dimension === 1_000_000) ?? rounds[0];
  const apart = stages.find(({ n, d, dropout }) => n === 10 && d >= (smoke ? 1e5 : 1e6) && dropout === 0);
  const checked = stages.findLast(({ dropout }) => dropout === 0.3);
  const growth = {
    maskWithN: exponent(along(stages, 'n', 'siloMaskMs')),
    maskWithD: exponent(along(stages, 'd', 'siloMaskMs')),
    unmaskWithN: exponent(along(stages, 'n', 'coordinatorUnmaskMs')),
  };
  return {
    complete,
    failed,
    smoke,
    machine: measuredOn,
    ...(kernels && { maskVsAes: kernels.mask / kernels.aes, maskVsCopy: kernels.mask / kernels.copy }),
    ...(kernels && openssl !== undefined && { maskVsOpenssl: kernels.mask / (4 / openssl) }),
    ...(transport && { uploadVsTls: transport.uploadMBs / transport.tlsMBs }),
    ...(round && { secureVsPlain: round.secureMs / round.plainMs }),
    ...(transport && apart && { secureVsPlainApart: secureToPlainApart(apart, transport.uploadMBs) }),
    ...(checked && { verifyVsUnmask: checked.siloVerifyMs / checked.coordinatorUnmaskMs }),
    ...(Number.isFinite(growth.maskWithN + growth.maskWithD) && { growth }),
    ...parts,
  };
}

function dimensions(): number[] {
  return smoke ? [10_000, 100_000] : [100_000, 1_000_000, 10_000_000, ...(huge ? [100_000_000] : [])];
}

/** Without dropouts; over n at the largest d, over d at the largest n. */
function along(stages: readonly Stage[], x: 'n' | 'd', y: keyof Stage): { x: number; y: number }[] {
  const fixed = x === 'n' ? 'd' : 'n';
  const largest = Math.max(...stages.map((one) => one[fixed]));
  return stages
    .filter((one) => one.dropout === 0 && one[fixed] === largest)
    .map((one) => ({ x: one[x], y: Number(one[y]) }));
}

/** Over silos for each d, and over d for each number of silos. */
function charts(stages: readonly Stage[]): Record<string, string> {
  const whole = stages.filter(({ dropout }) => dropout === 0);
  const dropped = stages.filter(({ dropout }) => dropout === 0.3);
  const lines = (from: readonly Stage[], x: 'n' | 'd', y: 'siloMaskMs' | 'coordinatorUnmaskMs') => {
    const fixed = x === 'n' ? 'd' : 'n';
    return [...new Set(from.map((one) => one[fixed]))].map((value) => ({
      name: fixed === 'd' ? `d = ${value.toExponential(0)}` : `${String(value)} silos`,
      points: from.filter((one) => one[fixed] === value).map((one) => ({ x: one[x], y: one[y] })),
    }));
  };
  const silo = 'Masking in a silo, one thread';
  const coordinator = 'Unmasking with 30 % dropped, one thread';
  return {
    'bench-silo.svg': chart(silo, 'silos', 'ms', lines(whole, 'n', 'siloMaskMs')),
    'bench-silo-parameters.svg': chart(silo, 'parameters', 'ms', lines(whole, 'd', 'siloMaskMs')),
    'bench-coordinator.svg': chart(coordinator, 'silos', 'ms', lines(dropped, 'n', 'coordinatorUnmaskMs')),
    'bench-coordinator-parameters.svg': chart(
      coordinator,
      'parameters',
      'ms',
      lines(dropped, 'd', 'coordinatorUnmaskMs'),
    ),
  };
}
