// telemetry: what the programs say about themselves while they run.

export { EVENTS, type EventName } from './events.js';
export {
  type AdjustableLog,
  createLog,
  errorFields,
  type Fields,
  type Log,
  type LogLevel,
  type LogOptions,
} from './log.js';
export { type MetricName, Metrics, METRICS, type PrivacySpent, type Sources } from './metrics.js';
export { CALL_ATTRIBUTES, TRACE_ATTRIBUTES, type TraceOptions, Traces } from './traces.js';
export { type Health, type MetricsServer, startMetricsServer } from './metrics-server.js';
