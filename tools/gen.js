// npm run gen: writes every generated file of the repository from its source. Running it twice changes nothing.
import { spawnSync } from 'node:child_process';

function run(command, args) {
  const done = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) {
    console.error(`gen: ${command} ${args.join(' ')} failed.`);
    process.exit(1);
  }
}

const bin = 'node_modules/.bin';
run(`${bin}/buf`, ['generate', '--template', 'buf.gen.yaml', '--path', 'proto/veilsum']);
run(`${bin}/buf`, ['generate', '--template', 'buf.gen.onnx.yaml', '--path', 'proto/onnx']);
run(process.execPath, ['tools/wire-index.js']);
run(process.execPath, ['tools/descriptors.js']);
run(process.execPath, ['tools/kernels.js']);
run(`${bin}/prettier`, ['--log-level', 'warn', '--write', 'src/wire/index.ts']);
// The list of error codes is written by a compiled program, so what was just generated is compiled first.
run(process.execPath, ['tools/ensure-installed.js']);
run(process.execPath, ['dist/tools/errors-doc.js']);
