// transport: the only room that knows gRPC. Agents and auditors dial out to the coordinator over mutual TLS; this room says who is
// calling, holds the limits of what a peer can make us spend, moves bytes with backpressure, tries again, and translates errors.

export { connectAdmin } from './admin-client.js';
export * from './clients.js';
export * from './errors.js';
export * from './handlers.js';
export { frameEntry } from './log-entries.js';
export { CLIENT_LIMITS, type ClientLimits, SERVER_LIMITS, type ServerLimits } from './limits.js';
export { PATIENCE_LEAST_SECONDS, patientClient, patientServer, type Patience } from './patience.js';
export { type RunningServer, type ServerOptions, startServer } from './server.js';
export { connectSilo, type ConnectOptions, type SiloConnectOptions } from './silo-client.js';
