// Writes src/transport/gen/descriptors.ts: the compiled .proto files that gRPC server reflection hands out, with what stands in each.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

const args = [
  'build',
  '--path',
  'proto/veilsum',
  '--exclude-source-info',
  '--as-file-descriptor-set',
  '-o',
  '-#format=binpb',
];
const built = spawnSync('node_modules/.bin/buf', args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });
if (built.status !== 0) process.exit(1);

/** Length-delimited fields of a message, as [number, bytes]. */
function fields(bytes) {
  const found = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      found.push([tag >>> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}

const texts = (bytes, number) => fields(bytes).flatMap(([n, value]) => (n === number ? [value.toString()] : []));
const nested = (bytes, number) => fields(bytes).flatMap(([n, value]) => (n === number ? [value] : []));

const files = nested(built.stdout, 1).map((file) => {
  const [name] = texts(file, 1);
  const prefix = texts(file, 2).map((one) => `${one}.`)[0] ?? '';
  const messages = (parent, found, number) =>
    nested(found, number).flatMap((message) => {
      const full = `${parent}${texts(message, 1)[0]}`;
      return [
        full,
        ...messages(`${full}.`, message, 3),
        ...nested(message, 4).map((one) => `${full}.${texts(one, 1)[0]}`),
      ];
    });
  const services = nested(file, 6).map((service) => `${prefix}${texts(service, 1)[0]}`);
  const methods = nested(file, 6).flatMap((service) =>
    nested(service, 2).map((method) => `${prefix}${texts(service, 1)[0]}.${texts(method, 1)[0]}`),
  );
  const enums = nested(file, 5).map((one) => `${prefix}${texts(one, 1)[0]}`);
  const symbols = [...messages(prefix, file, 4), ...enums, ...services, ...methods];
  return { name, imports: texts(file, 3), services, symbols, bytes: file.toString('base64') };
});

const entry = ({ name, imports, services, symbols, bytes }) =>
  `  {\n    name: ${JSON.stringify(name)},\n    imports: ${JSON.stringify(imports)},\n    services: ${JSON.stringify(services)},\n` +
  `    symbols: ${JSON.stringify(symbols)},\n    base64:\n      ${JSON.stringify(bytes)},\n  },\n`;
mkdirSync('src/transport/gen', { recursive: true });
writeFileSync(
  'src/transport/gen/descriptors.ts',
  `// Written by \`npm run gen\` (tools/descriptors.js) from proto/.\n\nexport interface CompiledFile {\n  readonly name: string;\n` +
    `  readonly imports: readonly string[];\n  readonly services: readonly string[];\n  readonly symbols: readonly string[];\n` +
    `  /** FileDescriptorProto. */\n  readonly base64: string;\n}\n\nexport const COMPILED_FILES: readonly CompiledFile[] = [\n${files.map(entry).join('')}];\n`,
);
