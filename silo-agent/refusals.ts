// What this silo's own configuration has against an offered job, before any round of it is planned.

import type { AgentConfig, AgentPolicy } from '../src/config/index.js';
import { graphRefusal, parseJob } from '../src/job/index.js';
import { roundMechanism, unitOf, validCohortSizes, type Manifest } from '../src/protocol/index.js';

/** With the code under which the agent would say so later. */
export function refusalsOf(
  { policy, dataSets }: Pick<AgentConfig, 'policy' | 'dataSets'>,
  manifest: Manifest,
): string[] {
  const { message } = manifest;
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
  const noise = noiseRefusal(policy.privacy.dataSets[contract.dataSet], manifest);
  if (noise !== undefined)
    refusals.push(
      `plan/without-noise: ${noise}; "${contract.dataSet}" has a budget that demands it (policy.privacy.dataSets).`,
    );
  return refusals;
}

/** By the rule that judges each plan. Round 1 stands for all: a job with noise has no closing round, which would add none. */
function noiseRefusal(
  budget: AgentPolicy['privacy']['dataSets'][string] | undefined,
  manifest: Manifest,
): string | undefined {
  if (budget?.withoutNoise !== 'refuse' || roundMechanism(manifest, 1, budget.unit) !== undefined) return undefined;
  const of = unitOf(manifest);
  return of === undefined
    ? 'it adds no noise'
    : `its noise protects each ${of}, which says nothing of each ${budget.unit}`;
}
