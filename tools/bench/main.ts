// npm run bench: what secure aggregation costs, against what the same machine can do in the same run.
//   --smoke        small sizes, well under a minute     --json FILE  the figures as data
//   --huge         vectors of 1e8 as well                --no-docs    leave docs/performance.md and its pictures alone

import { mkdir, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { freeKeystreamsBy } from '../../src/crypto/index.js';
import { bufferFreeing } from '../../src/system/index.js';
import type { Figures } from './figures.js';
import { chart, exponent } from './growth.js';
import { measureKernels } from './kernels.js';
import { machine } from './machine.js';
import { markdown, writeInto } from './markdown.js';
import { measureNoise } from './noise.js';
import { measureStage, type Stage } from './stages.js';
import { measureStartUp } from './start-up.js';
import { measureTraining } from './training.js';
import { measureRounds, measureTransport, type RoundFigures } from './transport.js';

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
const progress = (what: string): void => {
  process.stderr.write(`${what}\n`);
};

/** Turns of each family; the fastest counts. */
const TRAINING_TURNS = 20;

const figures = await measure();
console.log(markdown(figures));
if (json !== undefined) await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`);
if (docs && !smoke) {
  await writeInto('docs/performance.md', figures);
  await mkdir('docs/images', { recursive: true });
  for (const [file, picture] of Object.entries(charts(figures.stages))) await writeFile(`docs/images/${file}`, picture);
}
process.exit();

async function measure(): Promise<Figures> {
  progress('kernels');
  const kernels = measureKernels(smoke ? 1 << 17 : 1 << 20, smoke ? 3 : 15);
  progress('stages of a round');
  const stages = grid().map(([n, d, dropout]) => measureStage(n, d, dropout, smoke ? 4e6 : 4e8));
  progress('transport');
  const transport = await measureTransport((smoke ? 8 : 128) * 1024 ** 2, smoke ? 1 : 5);
  const rounds: RoundFigures[] = [];
  for (const [silos, dimension, count] of smoke
    ? ([[3, 2_000, 1]] as const)
    : ([
        [10, 1_000_000, 3],
        [10, 10_000_000, 2],
      ] as const)) {
    progress(`whole rounds of ${String(silos)} silos with ${String(dimension)} parameters`);
    rounds.push(await measureRounds(silos, dimension, count));
  }
  progress('noise');
  const noise = measureNoise(smoke ? 10_000 : 1_000_000, smoke ? 1 : 5);
  const training = smoke ? undefined : await measureTraining(TRAINING_TURNS, progress);
  if (training === undefined && !smoke) progress('no training against PyTorch: python3-torch is not installed');
  progress('start-up');
  const startUp = await measureStartUp();
  const [first] = rounds;
  return {
    maskVsAes: kernels.mask / kernels.aes,
    maskVsCopy: kernels.mask / kernels.copy,
    uploadVsTls: transport.uploadMBs / transport.tlsMBs,
    secureVsPlain: first === undefined ? NaN : first.secureMs / first.plainMs,
    smoke,
    machine: machine(),
    kernels,
    stages,
    transport,
    rounds,
    startUp,
    noise,
    training,
    growth: {
      maskWithN: exponent(along(stages, 'n', 'siloMaskMs')),
      maskWithD: exponent(along(stages, 'd', 'siloMaskMs')),
      unmaskWithN: exponent(along(stages, 'n', 'coordinatorUnmaskMs')),
    },
  };
}

function grid(): (readonly [number, number, number])[] {
  const ns = smoke ? [5, 10] : [5, 10, 50, 200];
  const ds = smoke ? [10_000, 100_000] : [100_000, 1_000_000, 10_000_000, ...(huge ? [100_000_000] : [])];
  return ns.flatMap((n) => ds.flatMap((d) => [0, 0.1, 0.3].map((dropout) => [n, d, dropout] as const)));
}

/** Without dropouts; over n at the largest d, over d at the largest n. */
function along(stages: readonly Stage[], x: 'n' | 'd', y: keyof Stage): { x: number; y: number }[] {
  const fixed = x === 'n' ? 'd' : 'n';
  const largest = Math.max(...stages.map((one) => one[fixed]));
  return stages
    .filter((one) => one.dropout === 0 && one[fixed] === largest)
    .map((one) => ({ x: one[x], y: Number(one[y]) }));
}

function charts(stages: readonly Stage[]): Record<string, string> {
  const whole = stages.filter(({ dropout }) => dropout === 0);
  const dropped = stages.filter(({ dropout }) => dropout === 0.3);
  const lines = (from: readonly Stage[], y: 'siloMaskMs' | 'coordinatorUnmaskMs', name: string) =>
    [...new Set(from.map(({ d }) => d))].map((d) => ({
      name: `${name}d = ${d.toExponential(0)}`,
      points: from.filter((one) => one.d === d).map((one) => ({ x: one.n, y: one[y] })),
    }));
  return {
    'bench-silo.svg': chart('Masking in a silo, one thread', 'silos', 'ms', lines(whole, 'siloMaskMs', '')),
    'bench-coordinator.svg': chart(
      'Unmasking with 30 % dropped, one thread',
      'silos',
      'ms',
      lines(dropped, 'coordinatorUnmaskMs', ''),
    ),
  };
}
