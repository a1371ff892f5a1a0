// Assembles src/vector/kernels/*.wat into modules that TypeScript carries as bytes: the text is what is read and reviewed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';

const folder = 'src/vector/kernels';
const tools = await wabt();
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.wat'))
  .sort()) {
  const module = tools.parseWat(file, readFileSync(join(folder, file), 'utf8'), { simd: true });
  module.validate();
  const bytes = [...module.toBinary({}).buffer];
  module.destroy();
  const lines = [];
  for (let at = 0; at < bytes.length; at += 24) lines.push(`  ${bytes.slice(at, at + 24).join(', ')},`);
  const name = file.replace(/\.wat$/, '');
  const text = [
    `// Written by npm run gen from ${file}; ${bytes.length} bytes.`,
    '',
    `export const MODULE = Uint8Array.of(`,
    ...lines,
    ');',
    '',
  ].join('\n');
  writeFileSync(join(folder, 'gen', `${name}.ts`), text);
}
