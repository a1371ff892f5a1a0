// veilsum-agent data check: a job's data contract against this silo's records, before anybody is asked to approve anything. Values are shown
// on a terminal and nowhere else: a pipe or a file may lead to where the records may not go.

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { isCodedError } from '../../src/base/index.js';
import { type AgentConfig, readAgentConfig, readJobFile } from '../../src/config/index.js';
import { checkDataSet, dataFits, type DataCheck, type DataFinding } from '../../src/dataset/index.js';
import { contractOf, parseJob, type Contract } from '../../src/job/index.js';
import { EXIT } from '../../src/system/index.js';
import { AgentError } from '../errors.js';
import { Offers } from '../offers.js';
import { loadPresentSelf } from '../start.js';

interface Options {
  readonly config: string;
  readonly job?: string;
  readonly json?: boolean;
}

export interface NamedContract {
  readonly job: string;
  readonly contract: Contract;
}

export function addData(program: Command): void {
  program
    .command('data')
    .description("this silo's records")
    .command('check')
    .description('hold what jobs expect against the records, and say what does not fit')
    .requiredOption('--config <file>', 'the configuration of the agent')
    .option('--job <job>', 'a job file, or an offered job by name or hash; every offered job unless given')
    .option('--json', 'as JSON, without values')
    .action(check);
}

async function check({ config: path, job, json }: Options): Promise<void> {
  const config = await readAgentConfig(path);
  const contracts = await contractsOf(config, job);
  const results: { readonly named: NamedContract; readonly result: DataCheck }[] = [];
  for (const named of contracts) results.push({ named, result: await checkOne(config, named) });
  if (json === true) console.log(JSON.stringify(results.map(jsonOf), null, 2));
  else if (results.length === 0)
    console.log('No job has been offered to this silo yet. Name a job file with --job FILE.');
  else
    results.forEach(({ named, result }, i) => {
      if (i > 0) console.log('');
      for (const line of checkLines(named, result, process.stdout.isTTY)) console.log(line);
    });
  if (results.some(({ result }) => !dataFits(result))) process.exitCode = EXIT.refused;
}

async function checkOne({ dataSets }: AgentConfig, { job, contract: { dataSet }, contract }: NamedContract) {
  const source = dataSets[dataSet];
  if (source === undefined)
    throw new AgentError(
      'agent/no-data-set',
      `job "${job}" wants the data set "${dataSet}", configured are ${Object.keys(dataSets).join(', ') || 'none'}.`,
    );
  return checkDataSet({ name: dataSet, ...source }, contract);
}

/** A name with a dot or a slash, or one that is a file, is a job file; names of jobs have neither. */
async function contractsOf(config: AgentConfig, job: string | undefined): Promise<NamedContract[]> {
  if (job !== undefined && (/[./\\]/.test(job) || existsSync(job))) {
    const file = await readJobFile(job);
    return [{ job: file.job, contract: contractOf(file) }];
  }
  const { roster } = await loadPresentSelf(config);
  const offers = await Offers.open(config.state);
  const manifests = job === undefined ? await offers.list(roster) : [await offers.find(roster, job)];
  return manifests.flatMap(({ jobId, message }) => {
    try {
      return [{ job: jobId, contract: parseJob(message).contract }];
    } catch (error) {
      // One bad offer must not hide the others; asked for by name it is an error.
      if (job !== undefined || !isCodedError(error)) throw error;
      return [];
    }
  });
}

/** For a person. `withValues`: what stands in the rows that are named, too. */
export function checkLines({ job, contract }: NamedContract, result: DataCheck, withValues: boolean): string[] {
  const { rows, usable, dropped, broken, findings } = result;
  const { dataSet, minRows, maxRows } = contract;
  return [
    `Job ${job}, data set ${dataSet}: ${dataFits(result) ? 'fits' : 'DOES NOT FIT'}`,
    `  ${count(rows, 'row')}: ${String(usable)} usable, ${String(dropped)} left out for a missing value, ${String(broken)} with a broken rule`,
    ...(result.enough === 'yes'
      ? []
      : [`  ROWS  ${String(usable)} usable, the job takes from ${String(minRows)} to ${String(maxRows)}`]),
    ...findings.flatMap((finding) => findingLines(finding, withValues)),
    ...result.columns
      .filter(({ missing }) => missing > 0)
      .map(({ column, missing }) => `  note  ${column} is missing in ${count(missing, 'row')}`),
  ];
}

function findingLines({ column, expected, problem, count: broken, rows, values }: DataFinding, withValues: boolean) {
  const more = broken - rows.length;
  const list = rows.map((row, i) => {
    const value = values[i];
    return withValues && value !== undefined ? `${String(row)} (${printable(value)})` : String(row);
  });
  return [
    `  COLUMN ${column}: ${problem}${broken === 0 ? '' : ` in ${count(broken, 'row')}`}`,
    `    expected ${expected}`,
    ...(rows.length === 0 ? [] : [`    row ${list.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`]),
  ];
}

function jsonOf({ named: { job, contract }, result }: { named: NamedContract; result: DataCheck }) {
  const { findings, ...rest } = result;
  return {
    job,
    dataSet: contract.dataSet,
    fits: dataFits(result),
    ...rest,
    // Without values: this may go anywhere.
    findings: findings.map(({ column, expected, problem, count: broken, rows }) => ({
      column,
      expected,
      problem,
      count: broken,
      rows,
    })),
  };
}

function count(n: number, one: string): string {
  return `${String(n)} ${one}${n === 1 ? '' : 's'}`;
}

/** A value on a terminal: one line, short, without control characters. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, ' ').slice(0, 40);
}
