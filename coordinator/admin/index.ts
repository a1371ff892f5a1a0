// admin: the handlers of AdminService, over the coordinator's state. Read-only but for new jobs and their models.

export { ADMIN_ERRORS, AdminError, type AdminErrorCode } from './errors.js';
export { adminHandlers } from './handlers.js';
export type { AdminSource } from './source.js';
