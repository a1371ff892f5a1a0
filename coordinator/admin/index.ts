// admin: the handlers of AdminService, over the coordinator's state. Read-only but for new jobs and their models.

export type { AdminSource } from './source.js';
