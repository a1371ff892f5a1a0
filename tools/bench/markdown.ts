// The figures as tables, written between two markers of docs/performance.md.

import { readFile, writeFile } from 'node:fs/promises';
import type { Figures } from './figures.js';

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

export function markdown(figures: Figures): string {
  const { machine, kernels, stages, transport, rounds, startUp, noise, growth, training } = figures;
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    `${machine.processor}, ${String(machine.cores)} cores, ${String(machine.memoryGiB)} GiB; Node.js ${machine.node}, OpenSSL ${machine.openssl}; commit ${machine.commit || 'unknown'}.`,
    '',
    row('ratio', 'value', 'of'),
    row('---', '---', '---'),
    row('`maskVsAes`', fixed(figures.maskVsAes), 'masking to AES-256-CTR of the same bytes in the same process'),
    row('`maskVsCopy`', fixed(figures.maskVsCopy), 'masking to copying the same bytes in memory'),
    row('`uploadVsTls`', fixed(figures.uploadVsTls), 'upload to bare TLS 1.3, megabytes a second on loopback'),
    ...rounds.map(({ silos, dimension, secureMs, plainMs }) =>
      row(
        silos === rounds[0]?.silos && dimension === rounds[0].dimension ? '`secureVsPlain`' : 'the same',
        fixed(secureMs / plainMs),
        `a whole secure round to a plain one, ${String(silos)} silos, ${whole(dimension)} parameters: ${whole(secureMs)} and ${whole(plainMs)} ms`,
      ),
    ),
    '',
    row('kernel', 'ns per element'),
    row('---', '---'),
    ...Object.entries(kernels).map(([name, ns]: [string, number]) => row(name, fixed(ns))),
    '',
    row('noise', 'd', 'ms for its table', 'ms for d samples'),
    row('---', '---', '---', '---'),
    ...noise.map((one) => row(one.noise, whole(one.d), fixed(one.tableMs, 1), fixed(one.drawMs, 1))),
    '',
    ...trainingLines(training),
    row('n', 'd', 'dropped', 'silo: mask', 'fingerprint', 'verify', 'coordinator: add', 'unmask', 'upload MiB'),
    row(...new Array<string>(9).fill('---')),
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
      ),
    ),
    '',
    `Milliseconds on one thread, without network and disk. A silo's masking grows with n to the power ${fixed(growth.maskWithN)} and with d to ${fixed(growth.maskWithD)}; unmasking without dropouts with n to ${fixed(growth.unmaskWithN)}.`,
    '',
    `Transport: ${whole(transport.uploadMBs)} MB/s of uploads, ${whole(transport.tlsMBs)} MB/s of bare TLS. Without a job the coordinator starts in ${whole(startUp.coordinatorMs)} ms and holds ${String(startUp.coordinatorMiB)} MiB, an agent in ${whole(startUp.agentMs)} ms and ${String(startUp.agentMiB)} MiB; in three idle seconds they used ${fixed(startUp.coordinatorIdleCpu)} and ${fixed(startUp.agentIdleCpu)} s of processor time.`,
    '',
  ];
  return lines.join('\n');
}

function trainingLines(training: Figures['training']): string[] {
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  if (training === undefined) return ['Training was not measured: PyTorch is not installed on this machine.', ''];
  return [
    row('a training step of', 'parameters', 'batch', 'ms', `ms in PyTorch ${training.torch}`, 'ratio'),
    row(...new Array<string>(6).fill('---')),
    ...training.rows.map(({ family, parameters, batch, ownMs, torchMs }) =>
      row(family, whole(parameters), String(batch), fixed(ownMs), fixed(torchMs), fixed(ownMs / torchMs)),
    ),
    '',
    'One thread each, in turns, the fastest of each side: batch, forward, backward and SGD with momentum.',
    '',
  ];
}
