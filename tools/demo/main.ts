// npm run demo: a whole consortium as real processes on this machine, from founding it to a trained model, with two hospitals killed
// on the way. Everything goes through the programs and the API that a real consortium would use.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { openManifest, readRoster, thresholdFor } from '../../src/protocol/index.js';
import type { AdminClient } from '../../src/transport/index.js';
import { JobState } from '../../src/wire/index.js';
import { auditJob, showAudit, type AuditOutcome } from './audit.js';
import { compare, type Comparison } from './compare.js';
import { AT_ONCE, foundConsortium, inBatches, writeConfigs, type Founded } from './founding.js';
import { readOptions, type DemoOptions } from './options.js';
import { command, Processes, type RunningProcess } from './processes.js';
import { prepareRecords, type JobText, type Scenario } from './records.js';
import { connectOperator, follow, type RoundOutcome } from './rounds.js';
import { number, Screen } from './screen.js';

const screen = new Screen();
const options = readOptions(process.argv.slice(2));
const folder = options.keep === undefined ? await mkdtemp(join(tmpdir(), 'veilsum-demo-')) : resolve(options.keep);
const logs = join(folder, 'logs');
const processes = new Processes(logs);
const stop = new AbortController();

try {
  await demo(options);
  process.exitCode = 0;
} catch (error) {
  screen.say('');
  screen.say(`The demo failed: ${error instanceof Error ? error.message : 'for an unknown reason'}`);
  screen.say(`Logs of all processes: ${logs}`);
  if (options.json !== undefined) await writeFile(resolve(options.json), `${JSON.stringify({ ok: false })}\n`);
  process.exitCode = 1;
} finally {
  await processes.stop();
  if (options.keep === undefined && process.exitCode === 0) await rm(folder, { recursive: true, force: true });
}
process.exit();

async function demo({ keep, json, rounds }: DemoOptions): Promise<void> {
  const began = Date.now();
  if (keep !== undefined) await refuseUsed(folder);
  await mkdir(logs, { recursive: true });
  process.once('SIGINT', () => {
    stop.abort(new Error('interrupted'));
  });
  const failed = new Promise<never>((_, fail) => {
    processes.onUnexpectedEnd = (name, how) => {
      fail(new Error(`${name} ended by itself with ${how}. The end of its log:\n${processes.tail(name)}`));
    };
    stop.signal.addEventListener('abort', () => {
      fail(new Error('interrupted'));
    });
  });
  failed.catch(() => undefined);

  const scenario = await prepareRecords(options, join(folder, 'records'));
  screen.say(`Veilsum demo: ${scenario.title}`);
  screen.say(
    `  records     ${scenario.silos.map(({ id, table }) => `${id} ${String(table.rows.length)}`).join(', ')}; ${String(scenario.test.rows.length)} held back for the comparison`,
  );
  screen.live('  founding the consortium: authority, certificates, keys, roster ...');
  const founded = await Promise.race([foundConsortium(folder, scenario), failed]);
  screen.say(`  consortium  roster ${founded.rosterHash.slice(0, 16)}… pinned by every hospital`);
  const outcome = await Promise.race([runConsortium(scenario, founded, rounds), failed]);
  await finish(scenario, founded, outcome, began, json);
}

interface Outcome {
  readonly rounds: readonly RoundOutcome[];
  readonly comparison: Comparison;
  readonly model: string;
  readonly audit: AuditOutcome;
}

/** Which hospital dies where, and when it comes back. A cohort of three has nobody to spare. */
interface Casualty {
  readonly silo: string;
  readonly round: number;
  readonly failpoint: string;
  readonly remark: string;
}

function casualties(scenario: Scenario, rounds: number): Casualty[] {
  const { silos } = scenario;
  if (silos.length - thresholdFor(silos.length) < 1) return [];
  const second = silos[1]?.id ?? '';
  const fourth = silos[3]?.id ?? '';
  // Each agent uploads once for the statistics and once a round: the hit that belongs to a round is one more than its number.
  const all = [
    { silo: second, round: 3, failpoint: 'silo.after-receipt@4', remark: `${second} killed after its masked upload` },
    { silo: fourth, round: 5, failpoint: 'silo.before-upload@6', remark: `${fourth} killed before its masked upload` },
  ];
  return all.filter(({ round }) => round < rounds);
}

async function runConsortium(scenario: Scenario, founded: Founded, rounds: number): Promise<Outcome> {
  const coordinator = processes.start('coordinator', 'coordinator', ['run', '--config', founded.coordinatorConfig]);
  const { listening } = JSON.parse(await coordinator.firstLine) as { listening: number };
  await writeConfigs(founded, scenario, listening);
  screen.say(`  coordinator localhost:${String(listening)}, mutual TLS 1.3`);
  const doomed = casualties(scenario, rounds);
  const agents = new Map<string, RunningProcess>();
  const startAgent = (silo: string, failpoint?: string): void => {
    const extra = failpoint === undefined ? {} : { env: { VEILSUM_FAILPOINT: failpoint }, mayDie: true };
    agents.set(silo, processes.start(silo, 'agent', ['run', '--config', founded.agentConfig(silo)], extra));
  };
  for (const { id } of scenario.silos) startAgent(id, doomed.find(({ silo }) => silo === id)?.failpoint);
  const client = await connectOperator(founded.operatorConfig);

  screen.say('');
  screen.say('Statistics: one secure sum gives means and deviations of all records together');
  await createAndApprove(client, founded, scenario, scenario.statisticsJob);
  await follow({
    client,
    jobId: scenario.statisticsJob.id,
    screen,
    rounds: 1,
    signal: stop.signal,
    onRound: () => 'sum of counts, values and squares',
  });

  screen.say('');
  screen.say(
    `Training: ${String(rounds)} rounds, then one that measures the final model (loss and AUC are of the model a round starts from)`,
  );
  await createAndApprove(client, founded, scenario, scenario.trainJob);
  const outcomes = await follow({
    client,
    jobId: scenario.trainJob.id,
    screen,
    rounds,
    signal: stop.signal,
    onRound: async ({ round }) => {
      const casualty = doomed.find((one) => one.round === round);
      if (casualty === undefined) return '';
      const how = await agents.get(casualty.silo)?.ended;
      startAgent(casualty.silo);
      return `${casualty.remark} (${how ?? '?'}), and started again`;
    },
  });
  const model = join(folder, 'model.onnx');
  await command('audit', ['export', scenario.trainJob.id, '--out', model, '--config', founded.auditorConfig]);
  const audit = await auditJob(founded, scenario.trainJob.id);
  screen.live('  comparing with every hospital alone and all records pooled ...');
  const manifest = await manifestOf(client, founded, scenario.trainJob.id);
  const exported = new Uint8Array(await readFile(model));
  const forward = new Uint8Array(await readFile(scenario.modelFile));
  const comparison = await compare(scenario, manifest.message.recipe, rounds, forward, exported);
  client.close();
  return { rounds: outcomes, comparison, model, audit };
}

/** The operator offers the job; the operator of each hospital reads it and approves it with the hospital's own key. */
async function createAndApprove(
  client: AdminClient,
  founded: Founded,
  scenario: Scenario,
  job: JobText,
): Promise<void> {
  const path = join(founded.folder, `${job.id}.yaml`);
  await writeFile(path, job.yaml);
  await command('audit', ['job', 'create', path, '--config', founded.operatorConfig]);
  screen.live(`  the operator of each hospital reads and approves ${job.id} ...`);
  await inBatches(
    scenario.silos.map(
      ({ id }) =>
        () =>
          approve(founded, id, job.id),
    ),
    AT_ONCE,
  );
  await waitFor(async () => {
    const { jobs } = await client.listJobs({ pageSize: 0, pageToken: '' });
    const state = jobs.find(({ jobId }) => jobId === job.id)?.state;
    return state !== undefined && state !== JobState.JOB_STATE_OFFERED;
  });
}

async function approve(founded: Founded, silo: string, job: string): Promise<void> {
  const config = founded.agentConfig(silo);
  // The offer reaches the agent's folder through the coordinator.
  await waitFor(async () => {
    const rows = JSON.parse(await command('agent', ['job', 'list', '--json', '--config', config])) as { job: string }[];
    return rows.some((row) => row.job === job);
  });
  await command('agent', ['job', 'approve', job, '--config', config, '--note', 'played by the demo']);
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const TRIES = 300;
  for (let i = 0; i < TRIES; i++) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('something that should have happened within 30 s did not: look at the logs');
}

async function manifestOf(
  client: AdminClient,
  founded: Founded,
  jobId: string,
): Promise<ReturnType<typeof openManifest>> {
  const roster = readRoster(new Uint8Array(await readFile(join(founded.folder, 'roster.bin'))));
  const { manifest } = await client.getJob({ jobId });
  return openManifest(roster, manifest);
}

async function finish(
  scenario: Scenario,
  founded: Founded,
  outcome: Outcome,
  began: number,
  json: string | undefined,
): Promise<void> {
  const { comparison, rounds } = outcome;
  screen.say('');
  screen.say(`Compared on the same ${String(comparison.testRecords)} records, which nobody trained on`);
  screen.say(`  ${''.padEnd(24)} records  accuracy    AUC`);
  const row = (name: string, records: number, { accuracy, auc }: { accuracy: number; auc: number }): void => {
    screen.say(`  ${name.padEnd(24)} ${String(records).padStart(7)}     ${number(accuracy, 3)}  ${number(auc, 3)}`);
  };
  for (const one of comparison.local) row(`${one.silo} alone`, one.records, one);
  row('the federation', comparison.pooled.records, comparison.federated);
  row('all records pooled', comparison.pooled.records, comparison.pooled);
  screen.say('');
  showAudit(screen, outcome.audit, founded.rosterHash);
  screen.say('');
  const kept = async (name: string, path: string): Promise<string> => {
    if (options.keep !== undefined) return path;
    // The folder goes; what the reader may want to open stays.
    await writeFile(resolve(name), await readFile(path));
    return resolve(name);
  };
  const model = await kept('veilsum-demo-model.onnx', outcome.model);
  const bundle = await kept('veilsum-demo.bundle', outcome.audit.bundle);
  const report = await kept('veilsum-demo-report.html', outcome.audit.report);
  screen.say(`Audit bundle: ${bundle}; check it yourself:`);
  screen.say(`  npx veilsum-audit verify ${relative('.', bundle)} --roster-hash ${founded.rosterHash}`);
  screen.say(`Report: ${report}`);
  screen.say(`Trained model: ${model} (takes raw features; opens in any ONNX runtime)`);
  if (options.keep !== undefined) screen.say(`Keys, configurations, state and logs: ${founded.folder}`);
  screen.say(
    `The coordinator only ever held masked updates and their sum; no hospital saw another's. ${((Date.now() - began) / 1000).toFixed(0)} s.`,
  );
  if (json === undefined) return;
  const plain = (score: { accuracy: number; auc: number }): { accuracy: number; auc: number } => ({
    accuracy: score.accuracy,
    auc: score.auc,
  });
  const data = {
    ok: true,
    rounds: rounds.map((one) => ({ ...one, loss: one.loss ?? null, auc: one.auc ?? null })),
    compare: {
      local: comparison.local.map(({ silo, accuracy, auc }) => ({ silo, accuracy, auc })),
      federated: plain(comparison.federated),
      pooled: plain(comparison.pooled),
    },
    model,
    rosterHash: founded.rosterHash,
    bundle,
    report,
    verdict: outcome.audit.verdict,
  };
  await writeFile(resolve(json), `${JSON.stringify(data, null, 2)}\n`);
}

/** State of an earlier demo would be mistaken for this one's. */
async function refuseUsed(path: string): Promise<void> {
  const used = await readFile(join(path, 'roster.yaml')).then(
    () => true,
    () => false,
  );
  if (used) throw new Error(`${path} holds an earlier demo: name another folder, or remove it`);
}
