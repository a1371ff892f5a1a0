// The figures as tables, written between two markers of docs/performance.md.

import { readFile, writeFile } from 'node:fs/promises';
import type { Figures } from './figures.js';
import type { RoundFigures } from './transport.js';

const BEGIN = '<!-- npm run bench writes from here -->';
const END = '<!-- to here -->';

export async function writeInto(path: string, figures: Figures): Promise<void> {
  const text = await readFile(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${path} has lost the markers between which the figures stand.`);
  await writeFile(path, `${text.slice(0, from + BEGIN.length)}\n\n${markdown(figures)}\n${text.slice(to)}`);
}

const fixed = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const MiB = 1024 ** 2;

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
const head = (...cells: string[]): string[] => [row(...cells), row(...cells.map(() => '---'))];

export function markdown(figures: Figures): string {
  const { machine, stages = [], rounds = [], noise = [] } = figures;
  return [
    `${machine.processor}, ${String(machine.cores)} cores, ${String(machine.memoryGiB)} GiB; Node.js ${machine.node}, OpenSSL ${machine.openssl}; commit ${machine.commit || 'unknown'}.`,
    ...(figures.complete && figures.failed.length === 0 ? [] : ['', `Not all of it: ${figures.failed.join('; ')}.`]),
    '',
    ...ratios(figures),
    '',
    ...roundRows(rounds),
    '',
    ...kernelRows(figures),
    '',
    ...head('noise', 'd', 'ms for its table', 'ms for d samples'),
    ...noise.map((one) => row(one.noise, whole(one.d), fixed(one.tableMs, 1), fixed(one.drawMs, 1))),
    '',
    ...agentRoundLines(figures),
    ...trainingLines(figures),
    ...head(
      'n',
      'd',
      'dropped',
      'silo: mask',
      'fingerprint',
      'verify',
      'coordinator: add',
      'unmask',
      'upload MiB',
      'sum MiB',
    ),
    ...stages.map((one) =>
      row(
        String(one.n),
        whole(one.d),
        `${fixed(100 * one.dropout, 0)} %`,
        fixed(one.siloMaskMs, 1),
        fixed(one.siloFingerprintMs, 1),
        fixed(one.siloVerifyMs, 1),
        fixed(one.coordinatorAddMs, 1),
        fixed(one.coordinatorUnmaskMs, 1),
        fixed(one.bytes.upload / MiB, 1),
        fixed(one.bytes.sum / MiB, 1),
      ),
    ),
    '',
    'Milliseconds on one thread of a single silo and of the coordinator, without network and disk; a cell whose masks would take too long is measured on its first coordinates and scaled.',
    ...growthLines(figures),
    '',
    ...['silo', 'silo-parameters', 'coordinator', 'coordinator-parameters'].map(
      (name) => `![${name.replace('-', ' by ')}](images/bench-${name}.svg)`,
    ),
    '',
    ...serviceLines(figures),
    '',
  ].join('\n');
}

function ratios(figures: Figures): string[] {
  const rows: readonly (readonly [keyof Figures, string])[] = [
    ['maskVsAes', 'masking to AES-256-CTR of the same bytes in the same process'],
    ['maskVsOpenssl', 'masking to `openssl speed` of AES-256-CTR'],
    ['maskVsCopy', 'masking to copying the same bytes in memory'],
    ['uploadVsTls', 'upload to bare TLS 1.3, megabytes a second on loopback'],
    ['verifyVsUnmask', "a silo's whole check of a result to the coordinator's unmasking, largest stage, 30 % dropped"],
    ['secureVsPlain', 'a whole secure round to a plain one, the work of all silos on the cores of this machine'],
    [
      'secureVsPlainApart',
      'the same with a machine for every silo, calculated from stages and transport, without training',
    ],
  ];
  return [
    ...head('ratio', 'value', 'of'),
    ...rows.flatMap(([name, what]) => {
      const value = figures[name];
      return typeof value === 'number' ? [row(`\`${name}\``, fixed(value), what)] : [];
    }),
  ];
}

function roundRows(rounds: readonly RoundFigures[]): string[] {
  const phases = [...new Set(rounds.flatMap((one) => Object.keys(one.phases)))];
  return [
    ...head('whole rounds: silos', 'd', 'm', 'secure ms', 'plain ms', 'ratio', ...phases),
    ...rounds.map(({ silos, dimension, bits, secureMs, plainMs, phases: ms }) =>
      row(
        String(silos),
        whole(dimension),
        String(bits),
        whole(secureMs),
        whole(plainMs),
        fixed(secureMs / plainMs),
        ...phases.map((phase) => whole(ms[phase] ?? NaN)),
      ),
    ),
  ];
}

function kernelRows({ kernels }: Figures): string[] {
  if (kernels === undefined) return [];
  return [
    ...head('kernel', 'ns per element'),
    ...Object.entries(kernels).map(([name, ns]: [string, number]) => row(name, fixed(ns))),
  ];
}

function agentRoundLines({ agentRound }: Figures): string[] {
  if (agentRound === undefined) return [];
  const { records, steps, roundMs, stepsMs, evaluationMs } = agentRound;
  return [
    `A round of an agent over ${whole(records)} images with a convolutional network, ${String(steps)} steps: ${whole(roundMs)} ms, of which ${whole(stepsMs)} ms are steps and ${whole(evaluationMs)} ms the model on the hold-out part; reading and checking the records, the split and the fixed-point vector add ${fixed(100 * ((roundMs - evaluationMs) / stepsMs - 1), 1)} %.`,
    '',
  ];
}

function trainingLines({ training }: Figures): string[] {
  if (training === undefined) return ['Training was not measured: PyTorch is not installed on this machine.', ''];
  return [
    ...head('a training step of', 'parameters', 'batch', 'ms', `ms in PyTorch ${training.torch}`, 'ratio'),
    ...training.rows.map(({ family, parameters, batch, ownMs, torchMs }) =>
      row(family, whole(parameters), String(batch), fixed(ownMs), fixed(torchMs), fixed(ownMs / torchMs)),
    ),
    '',
    'One thread each, in turns, the fastest of each side: batch, forward, backward and SGD with momentum.',
    '',
  ];
}

function growthLines({ growth }: Figures): string[] {
  if (growth === undefined) return [];
  return [
    `A silo's masking grows with n to the power ${fixed(growth.maskWithN)} and with d to ${fixed(growth.maskWithD)}; unmasking without dropouts with n to ${fixed(growth.unmaskWithN)}.`,
  ];
}

function serviceLines({ transport, startUp }: Figures): string[] {
  return [
    ...(transport === undefined
      ? []
      : [
          `Transport: ${whole(transport.uploadMBs)} MB/s of uploads, ${whole(transport.tlsMBs)} MB/s of bare TLS, ${fixed((100 * transport.uploadMBs) / transport.tlsMBs, 0)} % of it.`,
          `With a round trip of ${String(transport.far.roundTripMs)} ms: ${whole(transport.far.uploadMBs)} MB/s of uploads, ${whole(transport.far.tlsMBs)} MB/s of bare TLS.`,
        ]),
    ...(startUp === undefined
      ? []
      : [
          `Without a job the coordinator starts in ${whole(startUp.coordinatorMs)} ms and holds ${String(startUp.coordinatorMiB)} MiB, an agent in ${whole(startUp.agentMs)} ms and ${String(startUp.agentMiB)} MiB; in three idle seconds they used ${fixed(startUp.coordinatorIdleCpu)} and ${fixed(startUp.agentIdleCpu)} s of processor time.`,
        ]),
  ];
}
