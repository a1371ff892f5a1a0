// The deterministic simulator as a command. It is part of the tests, which nothing that is shipped imports, so its program is run by name.
//   node dist/tools/sim/main.js --seeds N --first-seed K [--silos LO..HI] [--workers W] [--minutes M]

const program = new URL('../../test/sim/main.js', import.meta.url);
const { main } = (await import(program.href)) as { main: (args: readonly string[]) => Promise<number> };
process.exitCode = await main(process.argv.slice(2));
