// What `doctor` finds, and how it is told. A check never throws: what it meets is a finding.

import { isCodedError } from '../../base/index.js';

export interface Finding {
  /** What was looked at, in one or two words; names are stable for scripts. */
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** What to do about it; absent where all is well. */
  readonly remedy?: string | undefined;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found });
export const warning = (check: string, found: string, remedy: string): Finding => ({
  check,
  state: 'warning',
  found,
  remedy,
});
export const failed = (check: string, found: string, remedy?: string): Finding => ({
  check,
  state: 'failed',
  found,
  remedy,
});

/** What a check throws becomes its finding, with code and remedy. */
export async function checked(check: string, look: () => Promise<Finding | readonly Finding[]>): Promise<Finding[]> {
  try {
    return [await look()].flat();
  } catch (cause) {
    if (isCodedError(cause))
      return [
        failed(check, `${cause.code}: ${cause.message}`, cause.remedy ?? `Look for ${cause.code} in docs/errors.md.`),
      ];
    return [failed(check, cause instanceof Error ? cause.message : 'an unknown failure', 'This is a bug: report it.')];
  }
}

const MARK = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ' } as const;

/** Lines for a terminal. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ check, state, found, remedy }) => [
    `${MARK[state]}  ${check.padEnd(14)}  ${found}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(25)}What to do: ${remedy}`]),
  ]);
}

/** The last line: what it all comes to. */
export function verdict(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((one) => one.state === state).length;
  const [bad, warnings] = [count('failed'), count('warning')];
  if (bad === 0 && warnings === 0) return 'All is well.';
  return `${String(bad)} failed, ${String(warnings)} to look at.`;
}
