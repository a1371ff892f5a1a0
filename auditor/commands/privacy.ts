// veilsum-audit privacy: what a run costs, and what a budget buys. Needs no coordinator, no configuration and no data.

import { InvalidArgumentError, type Command } from 'commander';
import { LIMITS } from '../../src/base/index.js';
import { defaultMaxMalicious } from '../../src/job/index.js';
import { thresholdFor } from '../../src/protocol/index.js';
import {
  accountRun,
  demandParameter,
  planRecords,
  planSilos,
  signalToNoise,
  type Budget,
} from '../../src/privacy/index.js';
import type { GlobalOptions, World } from '../session.js';
import { printFacts, printJson, printTable, type Terminal } from '../terminal.js';

interface AccountOptions extends GlobalOptions {
  readonly sampling: number;
  readonly noise: number;
  readonly steps: number;
  readonly delta: number;
}

interface PlanOptions extends GlobalOptions {
  readonly eps: number;
  readonly delta?: number;
  readonly rounds: number;
  readonly silos: number;
  readonly malicious?: number;
  readonly records: number;
  readonly batch: number;
  readonly localSteps?: number;
  readonly parameters: number;
}

export function addPrivacy(program: Command, world: World): void {
  const privacy = program.command('privacy').description('compute what noise and privacy cost; needs no coordinator');
  addAccount(privacy, world);
  addPlan(privacy, world);
}

function addAccount(privacy: Command, { terminal }: World): void {
  privacy
    .command('account')
    .description('epsilon of a run of DP-SGD, by two accountants; each is an upper bound, the smaller one holds')
    .requiredOption('--sampling <q>', 'probability with which a record is in a step: batch / records', number)
    .requiredOption('--noise <sigma>', 'standard deviation of the noise on a sum, in clips', number)
    .requiredOption('--steps <T>', 'steps of the whole run', number)
    .requiredOption('--delta <delta>', 'probability with which the promise may fail, well below 1 / records', number)
    .action((_options: object, command: Command) => {
      const { json, sampling, noise, steps, delta } = command.optsWithGlobals<AccountOptions>();
      const account = accountRun({ sampling, noise, steps, delta });
      if (json === true) {
        printJson(terminal, account);
        return;
      }
      printTable(
        terminal,
        ['ACCOUNTANT', 'EPSILON', 'HOW'],
        [
          ['pld', upward(account.pld.epsilon), 'distribution of the privacy loss, by FFT, rounded against you'],
          ['rdp', upward(account.rdp.epsilon), `Rényi divergence, best at order ${account.rdp.order.toPrecision(4)}`],
        ],
      );
      terminal.print('');
      terminal.print(
        `Adding or removing one record changes no event’s probability by more than a factor of e^${upward(account.pld.epsilon)}, plus ${String(delta)}.`,
      );
    });
}

function addPlan(privacy: Command, { terminal }: World): void {
  privacy
    .command('plan')
    .description('what noise an epsilon asks for, and what it does to a model, before anything is trained')
    .requiredOption('--eps <epsilon>', 'budget of the whole job', number)
    .option(
      '--delta <delta>',
      'probability with which the promise may fail, well below 1 / records; default a tenth of that',
      number,
    )
    .requiredOption('--rounds <R>', 'rounds of the job', number)
    .option('--silos <n>', 'silos that take part', number, 5)
    .option('--malicious <c>', 'silos that may work together with the coordinator; default as in a job file', number)
    .option('--records <m>', 'training records of the smallest silo', number, 1000)
    .option('--batch <b>', 'expected records in a step', number, 64)
    .option('--local-steps <s>', 'steps of a silo in one round; default one pass over its records', number)
    .option('--parameters <d>', 'parameters of the model', number, 1000)
    .action((_options: object, command: Command) => {
      const plan = planOf(command.optsWithGlobals<PlanOptions>());
      if (command.optsWithGlobals<PlanOptions>().json === true) printJson(terminal, plan);
      else printPlan(terminal, plan);
    });
}

type Plan = ReturnType<typeof planOf>;

function planOf(options: PlanOptions) {
  const { eps, rounds, silos, records, batch, parameters } = options;
  demandParameter(Number.isInteger(records) && records >= 1, '--records', 'a whole number from 1', records);
  const delta = options.delta ?? defaultDelta(records);
  const budget: Budget = { epsilon: eps, delta, rounds };
  demandParameter(Number.isInteger(silos) && silos >= 3 && silos <= LIMITS.cohortMax, '--silos', '3 to 200', silos);
  demandParameter(Number.isInteger(parameters) && parameters >= 1, '--parameters', 'a whole number from 1', parameters);
  const malicious = options.malicious ?? defaultMaxMalicious(silos);
  const threshold = thresholdFor(silos);
  const contributors = threshold - Math.max(malicious, 1);
  demandParameter(
    Number.isInteger(malicious) && malicious >= 0 && contributors >= 1,
    '--malicious',
    `a whole number from 0 to ${String(threshold - 1)}, because a sum may hold as few as ${String(threshold)} of ${String(silos)} silos`,
    malicious,
  );
  const stepsPerRound = options.localSteps ?? Math.ceil(records / batch);
  const plannedFor = (within: Budget) => {
    const record = planRecords(within, { records, batch, stepsPerRound, silos });
    const silo = planSilos(within, { silos, contributors, parameters });
    return {
      record: { ...record, signalToNoise: signalToNoise(record.stepNoise, parameters, record.steps * silos) },
      silo: { ...silo, contributors, signalToNoise: signalToNoise(silo.meanNoise, parameters, within.rounds) },
    };
  };
  const others = [...new Set([Math.max(1, Math.round(rounds / 2)), 2 * rounds])].filter((count) => count !== rounds);
  return {
    budget,
    terms: { silos, malicious, threshold, records, batch, stepsPerRound, parameters },
    ...plannedFor(budget),
    otherRounds: others.map((count) => {
      const { record, silo } = plannedFor({ ...budget, rounds: count });
      const short = (unit: typeof record | typeof silo) => ({ noise: unit.noise, signalToNoise: unit.signalToNoise });
      return { rounds: count, record: short(record), silo: short(silo) };
    }),
  };
}

/** The largest power of ten that is at most a tenth of one over the records. */
function defaultDelta(records: number): number {
  return Number(`1e${String(Math.floor(Math.log10(0.1 / records) + 1e-9))}`);
}

function printPlan(terminal: Terminal, { budget, terms, record, silo, otherRounds }: Plan): void {
  const otherwise = (unit: 'record' | 'silo'): [string, string][] =>
    otherRounds.map(({ rounds, [unit]: { noise, signalToNoise: ratio } }) => [
      `with ${String(rounds)} rounds`,
      `noise ${String(noise)}, signal to noise ${ratio.toPrecision(3)} (estimate: ${words(ratio)})`,
    ]);
  const { epsilon, delta, rounds } = budget;
  terminal.print(`Epsilon ${String(epsilon)}, delta ${String(delta)}, over ${String(rounds)} rounds.`);
  if (delta >= 1 / terms.records)
    terminal.note(
      `Note: delta ${String(delta)} allows publishing one of ${String(terms.records)} records whole. Choose it below ${(0.1 / terms.records).toPrecision(1)}.`,
    );
  terminal.print('');
  terminal.print(
    'Unit: one record. Each silo clips every record’s gradient and adds noise in every step (DP-SGD).',
    'heading',
  );
  printFacts(terminal, [
    ['sampling', `${record.sampling.toPrecision(4)}  (${String(terms.batch)} of ${String(terms.records)} records)`],
    ['steps', `${String(record.steps)}  (${String(terms.stepsPerRound)} in each round)`],
    ['noise', `${String(record.noise)} clips on the sum of a batch`],
    ['spends', spent(record)],
    ['noise of a step', `${record.stepNoise.toPrecision(3)} clips on each coordinate of the mean gradient`],
    [
      'noise of a round',
      `${record.roundNoise.toPrecision(3)} clips x learning rate on each coordinate of the mean update (estimate: plain SGD)`,
    ],
    [
      'signal to noise',
      `${record.signalToNoise.toPrecision(3)} over all steps of all silos (estimate: ${words(record.signalToNoise)})`,
    ],
    ...otherwise('record'),
  ]);
  terminal.print('');
  terminal.print(
    'Unit: one silo with all its records. Each silo adds its share of noise to its update, under the mask.',
    'heading',
  );
  printFacts(terminal, [
    [
      'honest noise',
      `from ${String(silo.contributors)} silos: t = ${String(terms.threshold)} less max(c, 1) = ${String(Math.max(terms.malicious, 1))}`,
    ],
    ['noise', `${String(silo.noise)} clips on the sum, ${silo.siloNoise.toPrecision(4)} from each silo`],
    ['spends', spent(silo)],
    [
      'noise of a round',
      `${silo.meanNoise.toPrecision(3)} clips on each coordinate of the mean of ${String(terms.silos)} updates`,
    ],
    [
      'signal to noise',
      `${silo.signalToNoise.toPrecision(3)} over all rounds (estimate: ${words(silo.signalToNoise)})`,
    ],
    ...otherwise('silo'),
  ]);
  terminal.print('');
  terminal.print(
    'In a job file: training.privacy: { unit: record, clip: …, noise: …, delta: … } or { unit: silo, noise: …, delta: … }, with the noise above.',
  );
  terminal.print(
    `Noise and epsilon are computed. What they do to a model of ${String(terms.parameters)} parameters is an estimate for gradients as long as the clip; only a trial run tells.`,
  );
}

function spent({ counted, account }: Plan['record'] | Plan['silo']): string {
  return `epsilon ${upward(counted)} as manifests and ledgers count it, by rdp; no more than ${upward(account.pld.epsilon)} by pld`;
}

/** A rule of thumb, and called one. */
function words(ratio: number): string {
  if (ratio >= 3) return 'close to training without noise';
  if (ratio >= 1) return 'learns, and loses accuracy';
  if (ratio >= 0.3) return 'learns little: use more records, fewer parameters or a larger epsilon';
  return 'noise leads: do not expect a useful model';
}

/** Four digits, never fewer than it is. */
function upward(value: number): string {
  if (value === 0) return '0';
  const unit = 10 ** (Math.floor(Math.log10(value)) - 3);
  return (Math.ceil(value / unit) * unit).toPrecision(4);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('Give a number, such as 0.01 or 1e-5.');
  return value;
}
