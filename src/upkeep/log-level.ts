// SIGHUP: the log's level from the configuration again, and nothing else of it, so that a running program can be listened to more closely.

import { type AdjustableLog, errorFields, type LogLevel } from '../telemetry/index.js';

/** Until the process ends. `read`: the level as the configuration says it now. */
export function adjustLevelOnHangup(log: AdjustableLog, read: () => Promise<LogLevel>): void {
  process.on('SIGHUP', () => {
    read().then(
      (level) => {
        log.setLevel(level);
        log.warn('log.level-changed', { level });
      },
      (cause: unknown) => {
        // A configuration that is being edited is no reason to end.
        log.error('log.level-changed', { kept: true, ...errorFields(cause) });
      },
    );
  });
}
