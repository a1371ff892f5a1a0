// Command lines load the module of the command that is asked for and of no other: a program that does a lot starts like one that does
// little, and `--help` needs none of it.

/** What is needed of the parser's program, whichever parser it is. */
interface Parent {
  readonly commands: readonly { name(): string }[];
  command(form: string): { description(text: string): unknown };
}

export interface CommandOnDemand<Program> {
  /** As the list of commands has it: `keys [options]`. */
  readonly form: string;
  readonly summary: string;
  readonly load: () => Promise<(program: Program) => void>;
}

/** Adds the command that `args` asks for, whole, and of the others what the list of commands says about them. */
export async function addAsked<Program extends Parent>(
  program: Program,
  commands: readonly CommandOnDemand<Program>[],
  args: readonly string[],
): Promise<void> {
  const asked = args[0] === 'help' ? args[1] : args.find((arg) => !arg.startsWith('-'));
  const add = await commands.find(({ form }) => nameIn(form) === asked)?.load();
  add?.(program);
  // A module may bring more than one command.
  const there = new Set(program.commands.map((command) => command.name()));
  for (const { form, summary } of commands) if (!there.has(nameIn(form))) program.command(form).description(summary);
}

function nameIn(form: string): string {
  return form.split(' ', 1).join('');
}
