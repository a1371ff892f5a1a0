// The silo agent's configuration. What stands under `policy` is the hospital's own and no coordinator can lower it
// (docs/protocol.md §3).

import { z } from 'zod';
import { LIMITS } from '../base/index.js';
import { dataSet } from './data-set.js';
import {
  address,
  connection,
  dialled,
  log,
  name,
  pathIn,
  pinnedRoster,
  proxy,
  strict,
  THREADS_MAX,
  tls,
  traces,
  whole,
} from './fields.js';
import { readConfig } from './read.js';

const MiB = 1024 * 1024;

/** Below these an operator must say `allowSmallCohort: true`. */
const USUAL_MIN_COHORT = 5;
const USUAL_MIN_HONEST = 3;

/** Beyond this an epsilon promises nothing, and is a slip of the keyboard. */
const EPSILON_MAX = 1_000;

const statisticsRule = strict({
  dataSet: name,
  /** Columns whose statistics may be summed without asking, or all that a job declares. */
  columns: z.union([z.literal('all-declared'), z.array(z.string().min(1)).min(1)]),
  minimumRows: whole(1, Number.MAX_SAFE_INTEGER),
  /** Histograms, correlations and the other tables too; means and deviations alone unless given. */
  tables: z.boolean().optional(),
});

/** What one data set may cost over all jobs and for ever. */
const budget = strict({
  epsilon: z.number().positive().max(EPSILON_MAX),
  delta: z.number().positive().lt(1),
  /** What it protects. A job whose noise protects another unit counts by what that says of this one, or not at all. */
  unit: z.enum(['silo', 'patient', 'record']).default('silo'),
  /** Rounds without noise, which no epsilon covers. */
  withoutNoise: z.enum(['refuse', 'allow']).default('refuse'),
});

const policy = strict({
  /** Smallest cohort this silo joins. */
  minCohort: whole(LIMITS.cohortMin, LIMITS.cohortMax).default(USUAL_MIN_COHORT),
  /** Inputs of honest silos that any opened sum must hold. */
  minHonest: whole(2, LIMITS.cohortMax).default(USUAL_MIN_HONEST),
  /** c of this silo; a job's manifest can only raise it. */
  maxMalicious: whole(0, LIMITS.cohortMax).default(0),
  allowSmallCohort: z.boolean().default(false),
  /** Whether jobs may mask along a regular graph, which withstands fewer that collude and fewer that are absent. */
  graph: z.enum(['complete', 'regular']).default('complete'),
  roundsPerDay: whole(1, LIMITS.roundsMax).default(1_000),
  maxModelBytes: whole(1, LIMITS.modelBytes).default(64 * MiB),
  maxParameters: whole(1, LIMITS.vectorLengthMax).default(10_000_000),
  /** Counts from 1 to one less are left out of the tables of statistics jobs. */
  smallCells: whole(0, 1_000).default(5),
  /** Statistics jobs that are approved without the operator. None unless given. */
  statistics: z.array(statisticsRule).default([]),
  /** What is done about sums whose difference to the last one isolates a hospital, and about hold-outs that are too small. */
  differencing: z.enum(['warn', 'refuse']).default('warn'),
  /** Records below which a hold-out part is too small to be measured on. */
  minimumHoldout: whole(0, Number.MAX_SAFE_INTEGER).default(20),
  /** Privacy budgets by data set. A data set without one costs without limit. */
  privacy: strict({ dataSets: z.record(name, budget).default({}) }).prefault({}),
}).check(({ value, issues }) => {
  const complain = (path: string, message: string): void => {
    issues.push({ code: 'custom', path: [path], message, input: value });
  };
  if (!value.allowSmallCohort && value.minCohort < USUAL_MIN_COHORT)
    complain('minCohort', `below ${String(USUAL_MIN_COHORT)} only together with policy.allowSmallCohort: true`);
  if (!value.allowSmallCohort && value.minHonest < USUAL_MIN_HONEST)
    complain('minHonest', `below ${String(USUAL_MIN_HONEST)} only together with policy.allowSmallCohort: true`);
  if (value.minHonest > value.minCohort)
    complain('minHonest', 'above policy.minCohort: no cohort of that size could hold so many honest inputs');
});

const agent = (folder: string) =>
  strict({
    silo: name,
    consortium: name,
    /** Journal, ledger and blobs. One folder for one agent. */
    state: pathIn(folder),
    coordinator: dialled,
    /** Where certificates are renewed; without it somebody has to replace the bundle. */
    authority: dialled.optional(),
    /** For connections to both. */
    proxy: proxy(folder).optional(),
    /** Signs of life on the connection to the coordinator. */
    connection: connection(),
    tls: tls(folder),
    keys: strict({
      signing: pathIn(folder),
      cosigning: pathIn(folder).optional(),
      /** Encrypts what the state folder holds. */
      storage: pathIn(folder),
    }),
    roster: pinnedRoster(folder),
    policy: policy.prefault({}),
    dataSets: z.record(name, dataSet(folder)),
    /** Threads for masks, fingerprints and checks, beside the main one; all cores but one unless given, 0 for none. */
    threads: whole(0, THREADS_MAX).optional(),
    /** What is kept of closed rounds. */
    retention: strict({
      /** Hours that keys, shares and what was dealt of a closed round stay in the journal; at most a year. */
      roundSecrets: strict({ hours: whole(0, 8_760).default(24) }).prefault({}),
    }).prefault({}),
    /** Prometheus and health over plain HTTP; nowhere unless given. */
    metrics: strict({ listen: address(0) }).optional(),
    traces: traces(),
    log: log(folder),
  }).check(({ value, issues }) => {
    const complain = (path: (string | number)[], message: string): void => {
      issues.push({ code: 'custom', path, message, input: value });
    };
    const { signing, cosigning, storage } = value.keys;
    if (signing === storage) complain(['keys', 'storage'], 'the same file as keys.signing');
    if (cosigning === signing) complain(['keys', 'cosigning'], 'the same file as keys.signing');
    if (cosigning === storage) complain(['keys', 'cosigning'], 'the same file as keys.storage');
    value.policy.statistics.forEach((rule, i) => {
      if (!(rule.dataSet in value.dataSets))
        complain(['policy', 'statistics', i, 'dataSet'], `"${rule.dataSet}" is not one of dataSets`);
    });
    for (const dataSet of Object.keys(value.policy.privacy.dataSets))
      if (!(dataSet in value.dataSets))
        complain(['policy', 'privacy', 'dataSets', dataSet], `"${dataSet}" is not one of dataSets`);
  });

export type AgentConfig = z.output<ReturnType<typeof agent>>;
export type AgentPolicy = AgentConfig['policy'];
export type AgentDataSet = AgentConfig['dataSets'][string];

/** Throws ConfigError with every bad field. */
export async function readAgentConfig(path: string): Promise<AgentConfig> {
  return readConfig<AgentConfig>(path, agent);
}
