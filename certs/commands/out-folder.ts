// Where a file goes that a command makes: a folder that is not there yet is made, for this account alone, since keys go into it.

import { dirname } from 'node:path';
import { makeDirectory } from '../../src/system/index.js';

export async function makeFolderOf(...files: readonly string[]): Promise<void> {
  for (const file of files) await makeDirectory(dirname(file));
}
