// Worker threads load compiled JavaScript only. Programs run from dist/, where this is the identity; tests run from the sources,
// and there it points a worker to its compiled twin. Whoever runs the tests builds first: age is no guide, since an incremental build does
// not write again what has not changed.

import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SystemError } from './errors.js';

/** The URL to start `relativePath` (ending in .js) as a worker from the module with this `import.meta.url`. */
export function workerUrl(importMetaUrl: string, relativePath: string): URL {
  const beside = new URL(relativePath, importMetaUrl);
  if (!importMetaUrl.endsWith('.ts')) return beside;

  const wanted = fileURLToPath(beside);
  const root = projectRoot(dirname(wanted));
  const compiled = join(root, 'dist', relative(root, wanted));
  if (!existsSync(compiled)) throw notBuilt(`${compiled} does not exist`);
  return pathToFileURL(compiled);
}

function projectRoot(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw notBuilt(`no package.json above ${from}`);
    folder = above;
  }
  return folder;
}

function notBuilt(message: string): SystemError {
  return new SystemError('system/not-built', message, { remedy: 'Run npm run build.' });
}
