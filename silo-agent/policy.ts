// What the silo's own configuration decides without its operator: statistics jobs that name only columns and row counts it has allowed.
// Models are never approved by a rule (docs/protocol.md §2.2).

import type { AgentPolicy } from '../src/config/index.js';
import { parseJob, tablesOf } from '../src/job/index.js';
import type { Manifest } from '../src/protocol/index.js';

/** The rule that approves this manifest, in words; undefined when the operator must decide. */
export function approvingRule(policy: AgentPolicy, manifest: Manifest): string | undefined {
  const job = parseJob(manifest.message);
  if (job.kind !== 'statistics') return undefined;
  const { dataSet, features, target, minRows } = job.contract;
  const columns = features.map(({ column }) => column);
  if (target !== undefined) columns.push(target.column);
  if (target?.kind === 'survival') columns.push(target.eventColumn);
  // A rule from before there were tables, or one that does not speak of them, allows sums of columns and nothing finer.
  const tables = tablesOf(job.plan, job.contract).length > 0 || job.plan.correlations.length > 0;
  const rule = policy.statistics.find((one) => {
    const allowed = one.columns;
    return (
      one.dataSet === dataSet &&
      minRows >= one.minimumRows &&
      (!tables || one.tables === true) &&
      (allowed === 'all-declared' || columns.every((column) => allowed.includes(column)))
    );
  });
  return rule === undefined
    ? undefined
    : `policy.statistics allows statistics of "${dataSet}" from ${String(rule.minimumRows)} rows on`;
}
