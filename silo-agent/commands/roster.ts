// veilsum-agent roster show | propose | sign: how the members of a consortium change who belongs to it. Works beside a running agent, which
// hands in what was signed. The coordinator gathers signatures and has none.

import type { Command } from 'commander';
import { asSiloId, hex, isoTime, LIMITS, unixMs, type SiloId } from '../../src/base/index.js';
import { readAgentConfig, readRosterFile, rosterFromFile, type AgentConfig } from '../../src/config/index.js';
import {
  changeOf,
  chainOf,
  encodeChain,
  openSuccessorSignature,
  readSuccessor,
  REASON_CHARACTERS_MAX,
  seal,
  siloSigner,
  successionQuorum,
  type Roster,
  type SiloSelf,
} from '../../src/protocol/index.js';
import { writeFileDurably } from '../../src/system/index.js';
import { decode, encode, Roster as RosterMessage, Successor } from '../../src/wire/index.js';
import { AgentError } from '../errors.js';
import { RosterFiles, type Proposal } from '../roster-files.js';
import { loadPresentSelf } from '../start.js';

interface Common {
  readonly config: string;
}

export function addRoster(program: Command): void {
  const roster = program
    .command('roster')
    .description('who belongs to the consortium: show it, propose the next roster, sign one that was proposed');
  const withConfig = (command: Command): Command =>
    command.requiredOption('--config <file>', 'the configuration of the agent');
  withConfig(roster.command('show').description('the roster in force, what led to it, and what is proposed'))
    .option('--out <file>', 'write the chain of rosters to a file, for the authority and for auditors')
    .option('--json', 'as JSON')
    .action(show);
  withConfig(
    roster
      .command('propose')
      .description('propose the next roster and sign it; a silo signs one for each epoch, and a signature is final'),
  )
    .option('--evict <silo...>', 'silos that it no longer has')
    .option('--from <file>', 'the whole roster in YAML, for anything else: new silos, operators, auditors')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(propose);
  withConfig(
    roster
      .command('sign <hash>')
      .description('sign a proposed roster, named by its hash or 8 digits of it; one for each epoch, and final'),
  )
    .option('--reason <text>', 'why, for the record', '')
    .action(sign);
}

interface Opened {
  readonly config: AgentConfig;
  readonly self: SiloSelf;
  readonly files: RosterFiles;
}

async function open(path: string): Promise<Opened> {
  const config = await readAgentConfig(path);
  return { config, self: await loadPresentSelf(config), files: new RosterFiles(config.state) };
}

async function show(options: Common & { readonly out?: string; readonly json?: boolean }): Promise<void> {
  const { self, files } = await open(options.config);
  const { roster } = self;
  if (options.out !== undefined) {
    await writeFileDurably(options.out, encodeChain(roster), { replace: true });
    console.log(
      `${String(chainOf(roster).rosters.length)} rosters that followed the pinned one are in ${options.out}.`,
    );
    return;
  }
  const proposals = await files.proposals(roster);
  const own = await files.signed(roster.epoch + 1n);
  const signed = own?.signature === undefined ? undefined : openSuccessorSignature(roster, own.signature);
  if (options.json === true) {
    console.log(
      JSON.stringify({
        consortium: roster.consortiumId,
        epoch: Number(roster.epoch),
        hash: hex(roster.hash),
        members: [...roster.members.keys()],
        quorum: successionQuorum(roster),
        signed: signed === undefined ? null : hex(signed.message.rosterHash),
        proposals: proposals.map((one) => ({
          hash: hex(one.roster.hash),
          ...changeOf(roster, one.roster),
          signedBy: signersOf(roster, one),
        })),
      }),
    );
    return;
  }
  console.log(`Consortium ${roster.consortiumId}, epoch ${String(roster.epoch)} of the roster, ${hex(roster.hash)}`);
  for (const [id, { organisation }] of roster.members)
    console.log(`  ${id.padEnd(24)} ${printable(organisation)}${id === self.siloId ? '  (this silo)' : ''}`);
  if (!roster.members.has(self.siloId)) console.log(`  This silo, ${self.siloId}, is no member any more.`);
  console.log('');
  printHistory(roster);
  if (proposals.length === 0) console.log('No other roster is proposed.');
  for (const proposal of proposals) printProposal(roster, proposal, signed?.message.rosterHash);
  if (signed !== undefined && !proposals.some(({ roster: one }) => hex(one.hash) === hex(signed.message.rosterHash)))
    console.log(
      `This silo has signed the roster ${hex(signed.message.rosterHash)}; its agent hands that in when it is connected.`,
    );
}

function printHistory(roster: Roster): void {
  for (let at = roster; at.succeeds !== undefined; at = at.succeeds.roster) {
    const { roster: before, signatures } = at.succeeds;
    const by = signatures.map(({ signer }) => signer.replace('silo/', '')).join(', ');
    console.log(`Epoch ${String(at.epoch)} ${words(before, at)}; signed by ${by}.`);
    for (const one of signatures) {
      const { message } = openSuccessorSignature(before, one);
      if (message.reason !== '')
        console.log(`  ${message.siloId}, ${isoTime(unixMs(Number(message.atUnixMs)))}: ${printable(message.reason)}`);
    }
  }
}

function printProposal(roster: Roster, proposal: Proposal, signed: Uint8Array | undefined): void {
  const { roster: proposed, signatures } = proposal;
  const who = signersOf(roster, proposal);
  console.log(`Proposed ${hex(proposed.hash)}`);
  console.log(`  It ${words(roster, proposed)}.`);
  console.log(
    `  Signed by ${String(who.length)} of ${String(roster.members.size)}: ${who.join(', ')}; ${String(successionQuorum(roster))} are needed.`,
  );
  for (const one of signatures) {
    const { message } = openSuccessorSignature(roster, one);
    if (message.reason !== '') console.log(`  ${message.siloId}: ${printable(message.reason)}`);
  }
  if (signed === undefined)
    console.log(`  To sign it:  veilsum-agent roster sign ${hex(proposed.hash).slice(0, 16)} --config FILE`);
  else if (hex(signed) === hex(proposed.hash)) console.log('  This silo has signed it.');
  else console.log('  This silo has signed another one, and signs no second.');
}

function signersOf(roster: Roster, { signatures }: Proposal): SiloId[] {
  return signatures.map((one) => openSuccessorSignature(roster, one).silo).sort();
}

/** What a successor changes, as the end of a sentence. */
function words(before: Roster, after: Roster): string {
  const { removed, added } = changeOf(before, after);
  const parts = [
    ...(removed.length === 0 ? [] : [`removes ${removed.join(', ')}`]),
    ...(added.length === 0 ? [] : [`adds ${added.join(', ')}`]),
    ...(officersOf(before) === officersOf(after) ? [] : ['changes operators or auditors']),
  ];
  return parts.length === 0 ? 'changes no silo, operator or auditor' : parts.join(' and ');
}

function officersOf({ payload }: Roster): string {
  const { operators, auditors } = decode(RosterMessage, 'roster', payload, LIMITS.manifestBytes);
  const lines = [operators, auditors].map((all) => all.map(({ id, signingKey }) => `${id} ${hex(signingKey)}`).sort());
  return JSON.stringify(lines);
}

async function propose(
  options: Common & { readonly evict?: readonly string[]; readonly from?: string; readonly reason: string },
): Promise<void> {
  const { self, files } = await open(options.config);
  const { evict, from } = options;
  if ((evict === undefined) === (from === undefined))
    throw new AgentError('agent/bad-vote', 'expected one of --evict SILO and --from FILE.');
  const payload = encode(RosterMessage, {
    ...(from === undefined ? without(self.roster, evict ?? []) : rosterFromFile(await readRosterFile(from))),
    epoch: self.roster.epoch + 1n,
    previousRosterHash: self.roster.hash,
  });
  const proposed = readSuccessor(self.roster, payload);
  await signOne(self, files, { roster: proposed, signatures: [] }, options.reason, true);
  console.log(`Proposed the roster ${hex(proposed.hash)}: it ${words(self.roster, proposed)}.`);
  printSigned(self.roster, 1);
}

function without(roster: Roster, evicted: readonly string[]): RosterMessage {
  const message = decode(RosterMessage, 'roster', roster.payload, LIMITS.manifestBytes);
  for (const silo of evicted) {
    const id = asSiloId(silo);
    if (id === undefined || !roster.members.has(id))
      throw new AgentError('agent/bad-vote', `epoch ${String(roster.epoch)} of the roster has no silo "${silo}".`);
  }
  const members = message.members.filter(({ siloId }) => !evicted.includes(siloId));
  return { ...message, members, governance: { successorQuorum: Math.floor((2 * members.length) / 3) + 1 } };
}

async function sign(name: string, options: Common & { readonly reason: string }): Promise<void> {
  const { self, files } = await open(options.config);
  const proposal = await files.find(self.roster, name);
  await signOne(self, files, proposal, options.reason, false);
  console.log(`Signed the roster ${hex(proposal.roster.hash)}: it ${words(self.roster, proposal.roster)}.`);
  printSigned(self.roster, new Set([...signersOf(self.roster, proposal), self.siloId]).size);
}

function printSigned(roster: Roster, signed: number): void {
  console.log(
    `${String(signed)} of ${String(roster.members.size)} members have signed it as far as is known here, ${String(successionQuorum(roster))} must. The running agent hands the signature in.`,
  );
}

async function signOne(
  self: SiloSelf,
  files: RosterFiles,
  { roster }: Proposal,
  reason: string,
  proposing: boolean,
): Promise<void> {
  if (reason.length > REASON_CHARACTERS_MAX)
    throw new AgentError('agent/bad-vote', `a reason has at most ${String(REASON_CHARACTERS_MAX)} characters.`);
  const signature = seal(self.signingKey, siloSigner(self.siloId), 'successor', Successor, {
    siloId: self.siloId,
    epoch: roster.epoch,
    previousRosterHash: self.roster.hash,
    rosterHash: roster.hash,
    reason,
    atUnixMs: BigInt(Date.now()),
    roster: proposing ? roster.payload : new Uint8Array(),
  });
  openSuccessorSignature(self.roster, signature);
  await files.sign(roster.epoch, signature, roster.payload);
}

/** Text of others on a terminal: without control characters. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, ' ').slice(0, 500);
}
