// Reads every entry of an environment and the pages that a write would take, which may end this process: see page-file.ts, which starts it.

import { Environment } from './environment.js';
import { metaPlace } from './place.js';

const path = process.argv[2] ?? '';
const reading = await Environment.open(path, { readOnly: true, unproven: true });
for (const { value } of reading.range({ start: Uint8Array.of(0), end: Uint8Array.of(0xff) })) value.fill(0);
await reading.close();
const writing = await Environment.open(path, { unproven: true });
writing.rehearse(metaPlace('rehearsal'));
await writing.close();
