// Structured logs: one JSON object a line, with an event name from the list.

import pino from 'pino';
import { isCodedError } from '../base/index.js';
import type { EventName } from './events.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What an event may say: short scalars. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: EventName, fields?: Fields): void;
  info(event: EventName, fields?: Fields): void;
  warn(event: EventName, fields?: Fields): void;
  error(event: EventName, fields?: Fields): void;
  /** Waits until everything logged so far is written. */
  flush(): Promise<void>;
}

/** What only the program itself may do. */
export interface AdjustableLog extends Log {
  setLevel(level: LogLevel): void;
}

export interface LogOptions {
  readonly program: string;
  readonly level: LogLevel;
  /** Standard error when there is none. */
  readonly file?: string | undefined;
}

export function createLog({ program, level, file }: LogOptions): AdjustableLog {
  const destination = pino.destination({ dest: file ?? 2, sync: true, mkdir: true });
  const logger = pino(
    {
      level,
      base: { program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
    },
    destination,
  );
  // A full disk under the log must not end a round that is kept on another: it is said once, where a service manager looks.
  let failing = false;
  const lost = (error: unknown): void => {
    if (failing) return;
    failing = true;
    const why = error instanceof Error ? error.message : 'for no known reason';
    process.stderr.write(`the log ${file ?? ''} cannot be written (${why}): the program goes on without it\n`);
  };
  destination.on('error', lost);
  const at =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (event: EventName, fields: Fields = {}): void => {
      try {
        logger[method]({ event, ...fields });
      } catch (error) {
        lost(error);
      }
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    setLevel: (next) => {
      logger.level = next;
    },
    flush: () =>
      new Promise((resolve) => {
        try {
          destination.flush(() => {
            resolve();
          });
        } catch (error) {
          lost(error);
          resolve();
        }
      }),
  };
}

/** What a log may say of an error: its code or its kind, its message and where it was thrown; never values. */
export function errorFields(error: unknown): { readonly code: string; readonly detail: string } {
  if (isCodedError(error)) return { code: error.code, detail: error.message };
  if (error instanceof Error)
    return { code: error.name, detail: `${error.message} ${error.stack?.split('\n')[1]?.trim() ?? ''}` };
  return { code: 'unknown', detail: 'not an error object' };
}
