// config: the files that people write (agent, coordinator, client, roster, job), read from YAML into checked types. Strict: an unknown
// key is an error that names the nearest known one. Paths are relative to the file they stand in; secrets are named by path only.

export { CONFIG_ERRORS, ConfigError, type ConfigErrorCode, type ConfigProblem } from './errors.js';
export { readAgentConfig, type AgentConfig, type AgentDataSet, type AgentPolicy } from './agent.js';
export { readAuthorityConfig, type AuthorityConfig } from './authority.js';
export { readCoordinatorConfig, type CoordinatorConfig, type CoordinatorRetention } from './coordinator.js';
export { readClientConfig, type ClientConfig } from './client.js';
export { readRosterFile, rosterFromFile, type RosterContents, type RosterFile } from './roster.js';
export { readJobFile } from './job-file.js';
export { printConfig } from './print.js';
