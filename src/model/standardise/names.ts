// The names under which a standardisation stands in a model. They are the only reserved names that a model may carry.

const STEM = 'veilsum.standardise';

export const STANDARDISATION = {
  mean: `${STEM}.mean`,
  inverseStd: `${STEM}.inverse_std`,
  centred: `${STEM}.centred`,
  output: `${STEM}.output`,
} as const;

const NAMES: readonly string[] = Object.values(STANDARDISATION);

export function isStandardisationName(name: string): boolean {
  return NAMES.includes(name);
}
