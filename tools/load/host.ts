// A process that is many silos at once: each a whole agent with its own keys, state folder, connection and log. Arguments: configuration
// files. Their operators approve whatever is offered.

import { once } from 'node:events';
import { Offers } from '../../silo-agent/offers.js';
import { loadSelf, startAgent } from '../../silo-agent/start.js';
import { readAgentConfig } from '../../src/config/index.js';
import { freeKeystreamsBy } from '../../src/crypto/index.js';
import { bufferFreeing, defaultThreads } from '../../src/system/index.js';
import { Computer } from '../../src/compute/index.js';
import { createLog } from '../../src/telemetry/index.js';
import { inventedWork } from './model.js';

const LOOK_MS = 500;

freeKeystreamsBy(bufferFreeing());
const computer = new Computer({ threads: defaultThreads() });
const stop = new AbortController();
const stops: (() => Promise<void>)[] = [];
for (const path of process.argv.slice(2)) {
  const config = await readAgentConfig(path);
  const { level, file } = config.log;
  const running = await startAgent(config, createLog({ program: config.silo, level, file }), {
    work: inventedWork(config.silo),
    computer,
  });
  stops.push(() => running.stop());
  void approveAll(path);
}
process.send?.('started');
await once(process, 'SIGTERM');
stop.abort();
await Promise.all(stops.map((one) => one()));
process.exit(0);

async function approveAll(path: string): Promise<void> {
  const config = await readAgentConfig(path);
  const { siloId, signingKey, roster } = await loadSelf(config);
  const offers = await Offers.open(config.state);
  while (!stop.signal.aborted) {
    for (const manifest of await offers.list(roster))
      if ((await offers.decisionOn(manifest.hash)) === undefined) {
        await offers.decide(signingKey, siloId, manifest, { approved: true, note: 'load', atMs: Date.now() });
        // One job is all there is.
        return;
      }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
