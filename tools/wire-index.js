// Writes src/wire/index.ts: the room's door names every generated message, so that adding a message changes one generated line.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

const dir = 'src/wire/gen/veilsum/v1';
const own = new Set(['MessageFns', 'protobufFileName', 'protobufPackage']);
const lines = [
  '// wire: the messages of proto/veilsum/v1 as TypeScript types with their codecs. This file and `gen/` are written by `npm run gen`.',
  '',
  "export * from './codec.js';",
  "export * from './errors.js';",
];
for (const file of readdirSync(dir).sort()) {
  const text = readFileSync(`${dir}/${file}`, 'utf8');
  const names = [...text.matchAll(/^export (?:const|interface|enum) (\w+)/gm)].map((match) => match[1]);
  const unique = [...new Set(names)].filter((name) => !own.has(name)).sort();
  const list = unique.map((name) => `  ${name},\n`).join('');
  lines.push(`export {\n${list}} from './gen/veilsum/v1/${file.replace(/\.ts$/, '.js')}';`);
}
writeFileSync('src/wire/index.ts', `${lines.join('\n')}\n`);
