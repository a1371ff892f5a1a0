// What can be wrong with a file that a person wrote, as this room's closed union of codes.

import { CodedError, defineErrors } from '../base/index.js';

export const CONFIG_ERRORS = defineErrors({
  'config/unreadable': 'A configuration file cannot be read: check the path and its permissions.',
  'config/too-large':
    'A configuration file is larger than any that makes sense: check that the path names the right file.',
  'config/not-yaml': 'A configuration file is not one valid YAML document: the message names line and column.',
  'config/invalid': 'A configuration file has missing, unknown or impossible fields: the message lists every one.',
});

export type ConfigErrorCode = keyof typeof CONFIG_ERRORS;

export interface ConfigProblem {
  /** Where in the file, e.g. `policy.minCohort`; empty for the file as a whole. */
  readonly path: string;
  readonly problem: string;
}

export class ConfigError extends CodedError<ConfigErrorCode> {
  override readonly name = 'ConfigError';
  /** Every bad field, for `config/invalid`; empty otherwise. */
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigErrorCode, message: string, problems: readonly ConfigProblem[] = []) {
    super(code, message, { category: 'content', remedy: CONFIG_ERRORS[code] });
    this.problems = problems;
  }
}
