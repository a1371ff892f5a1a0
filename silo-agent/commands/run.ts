// veilsum-agent run

import type { Command } from 'commander';
import { printConfig, readAgentConfig } from '../../src/config/index.js';
import { freeKeystreamsBy } from '../../src/crypto/index.js';
import { bufferFreeing, EXIT, installShutdown } from '../../src/system/index.js';
import { createLog } from '../../src/telemetry/index.js';
import { adjustLevelOnHangup } from '../../src/upkeep/index.js';
import { startAgent } from '../start.js';

const STOP_BOUND_MS = 20_000;

export function addRun(program: Command): void {
  program
    .command('run')
    .description("take part in the jobs that this silo's operator has approved, until SIGTERM")
    .requiredOption('--config <file>', 'its configuration (YAML, see docs/samples/agent.yaml)')
    .option('--print-config', 'print the configuration with defaults filled in and secrets withheld, and exit')
    .action(run);
}

async function run(options: { readonly config: string; readonly printConfig?: boolean }): Promise<void> {
  const config = await readAgentConfig(options.config);
  if (options.printConfig === true) {
    console.log(printConfig(config));
    return;
  }
  freeKeystreamsBy(bufferFreeing());
  const { level, file } = config.log;
  const log = createLog({ program: `agent ${config.silo}`, level, file });
  adjustLevelOnHangup(log, async () => (await readAgentConfig(options.config)).log.level);
  const running = await startAgent(config, log);
  installShutdown({
    stop: async () => {
      await running.stop();
      return EXIT.ok;
    },
    boundMs: STOP_BOUND_MS,
  });
  await running.done;
}
