// upkeep: what agent and coordinator both do beside their work, so that nobody has to: keep certificates fresh and say how they are.

export { keepCertificates, type KeepCertificatesOptions } from './certificates.js';
