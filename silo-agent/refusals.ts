// What this silo's own configuration has against an offered job, before any round of it is planned.

import type { AgentConfig } from '../src/config/index.js';
import { graphRefusal, parseJob } from '../src/job/index.js';
import { validCohortSizes, type Manifest } from '../src/protocol/index.js';

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
