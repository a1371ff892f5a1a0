// veilsum-agent job list | show | approve | refuse: what the operator of a silo decides. Works beside a running agent, which notices.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { readAgentConfig, type AgentConfig } from '../../src/config/index.js';
import { explainManifest } from '../../src/job/index.js';
import type { Manifest, SiloSelf } from '../../src/protocol/index.js';
import { Offers } from '../offers.js';
import { loadSelf } from '../start.js';

interface Common {
  readonly config: string;
}

export function addJob(program: Command): void {
  const job = program
    .command('job')
    .description('list, read, approve or refuse the jobs that were offered to this silo');
  const withConfig = (command: Command): Command =>
    command.requiredOption('--config <file>', 'the configuration of the agent');
  withConfig(job.command('list').description('every offered job and what was decided'))
    .option('--json', 'as JSON')
    .action(list);
  withConfig(
    job.command('show <job>').description('what a job would do, in plain words (name it by id, or by its hash)'),
  ).action(show);
  for (const approved of [true, false])
    withConfig(
      job
        .command(`${approved ? 'approve' : 'refuse'} <job>`)
        .description(`${approved ? 'approve' : 'refuse'} a job; the decision is signed with this silo's key and final`),
    )
      .option('--note <text>', 'who decided and why, for the record', '')
      .action((name: string, options: Common & { readonly note: string }) => decide(name, options, approved));
}

async function open(path: string): Promise<{ config: AgentConfig; self: SiloSelf; offers: Offers }> {
  const config = await readAgentConfig(path);
  return { config, self: await loadSelf(config), offers: await Offers.open(config.state) };
}

async function list(options: Common & { readonly json?: boolean }): Promise<void> {
  const { self, offers } = await open(options.config);
  const rows: { job: string; manifest: string; decision: string; description: string }[] = [];
  for (const manifest of await offers.list(self.roster)) {
    const decision = await offers.decisionOn(manifest.hash);
    rows.push({
      job: manifest.jobId,
      manifest: hex(manifest.hash),
      decision: decision === undefined ? 'undecided' : decision.approved ? 'approved' : 'refused',
      description: printable(manifest.message.description),
    });
  }
  if (options.json === true) {
    console.log(JSON.stringify(rows));
    return;
  }
  if (rows.length === 0) console.log('No job has been offered to this silo yet.');
  for (const row of rows)
    console.log(`${row.decision.padEnd(10)} ${row.job.padEnd(24)} ${row.manifest.slice(0, 16)}  ${row.description}`);
}

async function show(name: string, options: Common): Promise<void> {
  const { config, self, offers } = await open(options.config);
  const manifest = await offers.find(self.roster, name);
  printExplanation(manifest, config, self);
}

function printExplanation(manifest: Manifest, config: AgentConfig, self: SiloSelf): void {
  const organisations = new Map([...self.roster.members].map(([id, member]) => [id as string, member.organisation]));
  const sections = explainManifest(manifest.message, {
    manifestHash: manifest.hash,
    silo: config.silo,
    organisations,
    policy: config.policy,
  });
  for (const { title, lines } of sections) {
    console.log(title);
    for (const line of lines) console.log(`  ${line}`);
    console.log('');
  }
  console.log(`To approve:  veilsum-agent job approve ${hex(manifest.hash)} --config FILE`);
}

async function decide(name: string, options: Common & { readonly note: string }, approved: boolean): Promise<void> {
  const { self, offers } = await open(options.config);
  const manifest = await offers.find(self.roster, name);
  await offers.decide(self.signingKey, self.siloId, manifest, { approved, note: options.note, atMs: Date.now() });
  console.log(
    `${approved ? 'Approved' : 'Refused'} job "${manifest.jobId}", manifest ${hex(manifest.hash)}, as silo ${self.siloId}.`,
  );
}

/** Text of others on a terminal: without control characters. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, ' ').slice(0, 100);
}
