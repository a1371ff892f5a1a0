// veilsum-agent ledger show: what each data set of this silo has been used for and what is left. Works beside a running agent.

import { InvalidArgumentError, type Command } from 'commander';
import { readAgentConfig } from '../../src/config/index.js';
import { accountOf } from '../../src/protocol/index.js';
import { accountLines, DEFAULT_DELTA } from '../ledger-words.js';
import { readSiloState } from '../read-state.js';
import { loadSelf } from '../start.js';

interface Options {
  readonly config: string;
  readonly delta: number;
  readonly json?: boolean;
}

export function addLedger(program: Command): void {
  program
    .command('ledger')
    .description('what the data sets of this silo have been used for, and what their budgets leave')
    .command('show')
    .description('spent and left for each data set, with the rounds of each job')
    .requiredOption('--config <file>', 'the configuration of the agent')
    .option('--delta <number>', 'at which epsilon is stated for data sets without a budget', probability, DEFAULT_DELTA)
    .option('--json', 'as JSON; an epsilon that nothing bounds is null')
    .action(show);
}

function probability(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('A number above 0 and below 1 is expected.');
  return value;
}

async function show({ config: path, delta, json }: Options): Promise<void> {
  const config = await readAgentConfig(path);
  const state = await readSiloState(config, await loadSelf(config));
  const names = [...new Set([...Object.keys(config.dataSets), ...state.ledger.keys()])].sort();
  const accounts = names.map((dataSet) => ({ dataSet, account: accountOf(state, dataSet, delta) }));
  if (json === true) {
    console.log(JSON.stringify(accounts.map(({ dataSet, account }) => ({ dataSet, ...account }))));
    return;
  }
  if (accounts.length === 0) console.log('This silo has no data sets.');
  console.log(accounts.map(({ dataSet, account }) => accountLines(dataSet, account).join('\n')).join('\n\n'));
}
