// From SIGTERM or SIGINT to the end of the process. The first signal asks for a graceful stop, within a bound; the second ends at once.
// Ending at once is always safe: whatever was acknowledged is durable, and a restart resumes from there.

import type { ExitCode } from './exit.js';
import { EXIT } from './exit.js';

export interface ShutdownOptions {
  /** Stops serving, closes stores, and returns the exit code; called once. */
  readonly stop: (signal: 'SIGTERM' | 'SIGINT') => Promise<ExitCode>;
  /** Milliseconds that `stop` may take before the process ends without it. */
  readonly boundMs: number;
  /** Told once what happened, for the log. Not called on a graceful end. */
  readonly report?: (what: 'bound-passed' | 'second-signal' | 'stop-failed', cause?: unknown) => void;
}

/** Installs the handlers; the returned function removes them again. */
export function installShutdown(options: ShutdownOptions): () => void {
  let stopping = false;

  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      options.report?.('second-signal');
      process.exit(EXIT.interrupted);
    }
    stopping = true;
    const timer = setTimeout(() => {
      options.report?.('bound-passed');
      process.exit(EXIT.interrupted);
    }, options.boundMs);
    // `async` also turns a throw of `stop` before its first await into a rejection.
    const stopped = (async () => options.stop(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM'))();
    stopped.then(
      (code) => {
        clearTimeout(timer);
        process.exit(code);
      },
      (cause: unknown) => {
        clearTimeout(timer);
        options.report?.('stop-failed', cause);
        process.exit(EXIT.failed);
      },
    );
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  };
}
