// veilsum-coordinator run

import type { Command } from 'commander';
import { printConfig, readCoordinatorConfig } from '../../src/config/index.js';
import { freeKeystreamsBy } from '../../src/crypto/index.js';
import { bufferFreeing, EXIT, installShutdown } from '../../src/system/index.js';
import { createLog } from '../../src/telemetry/index.js';
import { adjustLevelOnHangup } from '../../src/upkeep/index.js';
import { startCoordinator } from '../start.js';

/** Calls under way have this long to finish after SIGTERM; uploads resume where they were. */
const GRACE_MS = 5_000;
const STOP_BOUND_MS = 20_000;

export function addRun(program: Command): void {
  program
    .command('run')
    .description('run the coordinator until SIGTERM')
    .requiredOption('--config <file>', 'its configuration (YAML, see docs/samples/coordinator.yaml)')
    .option('--print-config', 'print the configuration with defaults filled in and secrets withheld, and exit')
    .action(run);
}

async function run(options: { readonly config: string; readonly printConfig?: boolean }): Promise<void> {
  const config = await readCoordinatorConfig(options.config);
  if (options.printConfig === true) {
    console.log(printConfig(config));
    return;
  }
  freeKeystreamsBy(bufferFreeing());
  const { level, file } = config.log;
  const log = createLog({ program: 'coordinator', level, file });
  adjustLevelOnHangup(log, async () => (await readCoordinatorConfig(options.config)).log.level);
  const running = await startCoordinator(config, log);
  // The one line on standard output, for whoever started it with port 0.
  console.log(JSON.stringify({ listening: running.port }));
  installShutdown({
    stop: async () => {
      await running.stop(GRACE_MS);
      return EXIT.ok;
    },
    boundMs: STOP_BOUND_MS,
  });
}
