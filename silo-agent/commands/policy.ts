// veilsum-agent policy explain: what this silo's own configuration would say to an offered job, limit by limit.

import type { Command } from 'commander';
import { type AgentConfig, readAgentConfig } from '../../src/config/index.js';
import { graphLines, graphRefusal, parseJob } from '../../src/job/index.js';
import { type Manifest, validCohortSizes } from '../../src/protocol/index.js';
import { EXIT } from '../../src/system/index.js';
import { Offers } from '../offers.js';
import { approvingRule } from '../policy.js';
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

/** With the code under which the agent would say so later. */
export function refusalsOf(
  { policy, dataSets }: Pick<AgentConfig, 'policy' | 'dataSets'>,
  { message }: Pick<Manifest, 'message'>,
): string[] {
  const { contract } = parseJob(message);
  const refusals: string[] = [];
  if (!(contract.dataSet in dataSets))
    refusals.push(
      `agent/no-data-set: it wants "${contract.dataSet}"; dataSets has ${Object.keys(dataSets).join(', ') || 'none'}.`,
    );
  const minCohort = Math.max(policy.minCohort, message.minCohort);
  const c = Math.max(policy.maxMalicious, message.maxMalicious);
  if (message.silos.length < minCohort)
    refusals.push(
      `plan/floor-cohort: it has ${String(message.silos.length)} silos; policy.minCohort and the job ask for ${String(minCohort)}.`,
    );
  else if (validCohortSizes(message.silos.length, { c, minCohort, minHonest: policy.minHonest }).length === 0)
    refusals.push(
      `plan/floor-honest: no cohort of its ${String(message.silos.length)} silos leaves ${String(policy.minHonest)} honest inputs when ${String(c)} may be malicious (policy.minHonest, policy.maxMalicious).`,
    );
  const graph = graphRefusal(message, policy);
  if (graph !== undefined) refusals.push(graph);
  const budget = policy.privacy.dataSets[contract.dataSet];
  if (budget?.withoutNoise === 'refuse' && message.noise === undefined)
    refusals.push(
      `plan/without-noise: it adds no noise, and "${contract.dataSet}" has a budget (policy.privacy.dataSets).`,
    );
  return refusals;
}
