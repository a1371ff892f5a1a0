// The child of prepareProgram: loads a program's modules, waits for SIGUSR2, runs it. A file and not a script on the command line, because
// worker threads inherit the options of the command line, and `-e` is none that they may have.
//   node prepared.js START MAIN ARGUMENTS...     URLs of the modules

const [node = '', , start = '', main = '', ...args] = process.argv;
await import(start);
const waiting = setInterval(() => undefined, 1000);
const told = new Promise((resolve) => process.once('SIGUSR2', resolve));
process.stdout.write('loaded\n');
await told;
clearInterval(waiting);
process.argv = [node, main, ...args];
await import(main);
