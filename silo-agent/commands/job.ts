// veilsum-agent job list | show | approve | refuse: what the operator of a silo decides. Works beside a running agent, which notices.

import type { Command } from 'commander';
import { fromHex, hex, LIMITS } from '../../src/base/index.js';
import { readAgentConfig, type AgentConfig } from '../../src/config/index.js';
import { explainManifest, parseJob } from '../../src/job/index.js';
import {
  openExclude,
  openRollback,
  seal,
  siloSigner,
  votesNeeded,
  type Manifest,
  type SiloSelf,
} from '../../src/protocol/index.js';
import { Exclude, Rollback } from '../../src/wire/index.js';
import { AgentError } from '../errors.js';
import { costLines } from '../ledger-words.js';
import { Offers } from '../offers.js';
import { readSiloState } from '../read-state.js';
import { loadPresentSelf, loadSelf } from '../start.js';

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
  addVotes(job);
  for (const approved of [true, false])
    withConfig(
      job
        .command(`${approved ? 'approve' : 'refuse'} <job>`)
        .description(`${approved ? 'approve' : 'refuse'} a job; the decision is signed with this silo's key and final`),
    )
      .option('--note <text>', 'who decided and why, for the record', '')
      .action((name: string, options: Common & { readonly note: string }) => decide(name, options, approved));
}

/** Votes on a job that is stuck (docs/protocol.md §2.9). */
function addVotes(job: Command): void {
  job
    .command('exclude <job> <silo>')
    .description('vote that a silo is heard no more in a job; t votes of the silos of the job decide')
    .requiredOption('--config <file>', 'the configuration of the agent')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(exclude);
  job
    .command('rollback <job>')
    .description('vote that a paused job goes on from an earlier model; t votes of the silos of the job decide')
    .requiredOption('--config <file>', 'the configuration of the agent')
    .requiredOption('--after <hash>', 'result hash of its last round, as `veilsum-audit jobs --json` prints it')
    .requiredOption('--to-round <n>', 'the round whose model it goes back to; 0 for the first model')
    .requiredOption('--model <hash>', 'hash of that model, as `veilsum-audit rounds --json` prints it')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(rollback);
}

async function exclude(name: string, silo: string, options: Common & { readonly reason: string }): Promise<void> {
  const { self, offers } = await open(options.config);
  const manifest = await offers.find(self.roster, name);
  const vote = seal(self.signingKey, siloSigner(self.siloId), 'exclude', Exclude, {
    siloId: self.siloId,
    manifestHash: manifest.hash,
    excluded: silo,
    reason: options.reason,
    atUnixMs: BigInt(Date.now()),
  });
  openExclude(manifest, self.siloId, vote);
  await offers.vote(vote);
  printVoted(manifest, `to exclude ${silo}`);
}

async function rollback(
  name: string,
  options: Common & {
    readonly reason: string;
    readonly after: string;
    readonly toRound: string;
    readonly model: string;
  },
): Promise<void> {
  const { self, offers } = await open(options.config);
  const manifest = await offers.find(self.roster, name);
  const vote = seal(self.signingKey, siloSigner(self.siloId), 'rollback', Rollback, {
    siloId: self.siloId,
    manifestHash: manifest.hash,
    afterHash: fromHex(options.after) ?? new Uint8Array(),
    baseRound: wholeNumber(options.toRound),
    baseModelHash: fromHex(options.model) ?? new Uint8Array(),
    reason: options.reason,
    atUnixMs: BigInt(Date.now()),
  });
  openRollback(manifest, self.siloId, vote);
  await offers.vote(vote);
  printVoted(manifest, `to go on from the model of round ${options.toRound}`);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > LIMITS.roundsMax)
    throw new AgentError('agent/bad-vote', `"${text}" is no number of a round.`, { category: 'content' });
  return value;
}

function printVoted(manifest: Manifest, what: string): void {
  console.log(
    `Voted ${what} in job "${manifest.jobId}"; ${String(votesNeeded(manifest))} of its ${String(manifest.silos.length)} silos must. The running agent hands the vote in.`,
  );
}

async function open(path: string): Promise<{ config: AgentConfig; self: SiloSelf; offers: Offers }> {
  const config = await readAgentConfig(path);
  return { config, self: await loadPresentSelf(config), offers: await Offers.open(config.state) };
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
  // Folded from the pinned roster on, as the agent does.
  const state = await readSiloState(config, await loadSelf(config));
  const { dataSet } = parseJob(manifest.message).contract;
  printSection('Ledger', costLines(state, manifest, dataSet));
  console.log(`To approve:  veilsum-agent job approve ${hex(manifest.hash)} --config FILE`);
}

function printExplanation(manifest: Manifest, config: AgentConfig, self: SiloSelf): void {
  const organisations = new Map([...self.roster.members].map(([id, member]) => [id as string, member.organisation]));
  const sections = explainManifest(manifest.message, {
    manifestHash: manifest.hash,
    silo: config.silo,
    organisations,
    policy: config.policy,
  });
  for (const { title, lines } of sections) printSection(title, lines);
}

function printSection(title: string, lines: readonly string[]): void {
  console.log(title);
  for (const line of lines) console.log(`  ${line}`);
  console.log('');
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
