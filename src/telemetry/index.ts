// telemetry: what the programs say about themselves while they run.

export { EVENTS, type EventName } from './events.js';
export { createLog, errorFields, type Fields, type Log, type LogLevel, type LogOptions } from './log.js';
