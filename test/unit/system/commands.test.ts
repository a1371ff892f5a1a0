// Programs load a command's module when it is asked for: what their lists say meanwhile is what the modules say.

import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS as CERTS } from '../../../certs/command-list.js';
import { COMMANDS as COORDINATOR } from '../../../coordinator/command-list.js';
import { COMMANDS as AGENT } from '../../../silo-agent/command-list.js';
import { addAsked, type CommandOnDemand } from '../../../src/system/index.js';

/** Lines of the list of commands, without widths. */
async function listOf(commands: readonly CommandOnDemand<Command>[], args: readonly string[]): Promise<string[]> {
  const program = new Command('program');
  await addAsked(program, commands, args);
  const help = program.createHelp();
  return help
    .visibleCommands(program)
    .map((command) => `${help.subcommandTerm(command)}: ${help.subcommandDescription(command)}`)
    .sort();
}

describe('the list of commands', () => {
  it.each([
    ['veilsum-agent', AGENT],
    ['veilsum-coordinator', COORDINATOR],
    ['veilsum-ca', CERTS],
  ])('of %s says what each module says', async (_, commands) => {
    const short = await listOf(commands, ['--help']);
    expect(short.length).toBe(commands.length + 1);
    for (const { form } of commands) expect(await listOf(commands, [form.split(' ')[0]!])).toEqual(short);
  });
});

describe('addAsked', () => {
  const loaded: string[] = [];
  const command = (name: string): CommandOnDemand<Command> => ({
    form: `${name} [options]`,
    summary: 'does it',
    load: () => {
      loaded.push(name);
      return Promise.resolve((program: Command) => {
        program.command(name).description('does it').option('--once');
      });
    },
  });
  const loadedFor = async (...args: string[]): Promise<string[]> => {
    loaded.length = 0;
    await addAsked(new Command('program'), [command('one'), command('two')], args);
    return [...loaded];
  };

  it('loads the one that is asked for, and none for a list of them', async () => {
    expect(await loadedFor('two', '--once')).toEqual(['two']);
    expect(await loadedFor('help', 'one')).toEqual(['one']);
    for (const args of [[], ['--help'], ['help'], ['three'], ['toString']])
      expect(await loadedFor(...args)).toEqual([]);
  });
});
