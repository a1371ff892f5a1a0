// veilsum-agent policy explain: what this silo's own configuration would say to an offered job, limit by limit.

import type { Command } from 'commander';
import { readAgentConfig } from '../../src/config/index.js';
import { graphLines } from '../../src/job/index.js';
import { EXIT } from '../../src/system/index.js';
import { Offers } from '../offers.js';
import { approvingRule } from '../policy.js';
import { refusalsOf } from '../refusals.js';
import { loadPresentSelf } from '../start.js';

export function addPolicy(program: Command): void {
  program
    .command('policy')
    .description("what this silo's own configuration says to jobs")
    .command('explain <job>')
    .description('whether an offered job could run here, and which limit stands against it')
    .requiredOption('--config <file>', 'the configuration of the agent')
    .action(explain);
}

async function explain(name: string, { config: path }: { readonly config: string }): Promise<void> {
  const config = await readAgentConfig(path);
  const { roster } = await loadPresentSelf(config);
  const manifest = await (await Offers.open(config.state)).find(roster, name);
  const refusals = refusalsOf(config, manifest);
  for (const why of refusals) console.log(`REFUSED  ${why}`);
  if (refusals.length === 0) console.log(`Nothing in this configuration stands against "${manifest.jobId}".`);
  else process.exitCode = EXIT.refused;
  for (const line of graphLines(manifest.message)) console.log(line);
  const rule = approvingRule(config.policy, manifest);
  console.log(
    rule === undefined ? 'The operator decides: no rule approves it.' : `Approved without the operator: ${rule}.`,
  );
}
