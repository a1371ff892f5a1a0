// upkeep: what agent and coordinator both do beside their work, so that nobody has to: keep certificates fresh and say
// how they are; and the checks of their `doctor` commands.

export { keepCertificates, type KeepCertificatesOptions } from './certificates.js';
export { adjustLevelOnHangup } from './log-level.js';
export { metricsOf, serveMetrics } from './metrics.js';
export { checkAuthority } from './doctor/authority.js';
export { checkCertificate } from './doctor/certificates.js';
export { checkOwnClock, compareClocks } from './doctor/clock.js';
export { checkWay } from './doctor/connection.js';
export { checked, failed, type Finding, findingLines, ok, verdict, warning } from './doctor/finding.js';
export { checkDisk, checkEnvironment, checkMemory } from './doctor/machine.js';
