// admin: the handlers of AdminService, over the coordinator's state. Read-only but for new jobs, their models, and orders.

export { ADMIN_ERRORS, AdminError, type AdminErrorCode } from './errors.js';
export { ACT_KINDS, type ActKind } from './acts.js';
export { ERASED_BY } from './artefacts.js';
export { adminHandlers } from './handlers.js';
export type { ActJournal, AdminSource, KeptClass, NotedAct, ServerFacts, SiloSeen } from './source.js';
