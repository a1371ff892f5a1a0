// How a verified sum becomes the next model: the manifest's `update_rule`, parsed and checked. The arithmetic itself is model/'s.

import { encode, UpdateRule as UpdateRuleMessage } from '../wire/index.js';
import { decodeCanonical } from './canonical.js';
import { isPositive, Problems } from './problems.js';

export interface UpdateSetting {
  readonly kind: 'fed-avg';
  /** Step along the mean update; 1 is plain federated averaging. */
  readonly serverLearningRate: number;
}

/** Throws JobError `job/bad-update-rule` with every bad field. */
export function parseUpdateRule(bytes: Uint8Array): UpdateSetting {
  const { kind } = decodeCanonical(UpdateRuleMessage, 'update rule', bytes, 'job/bad-update-rule');
  const problems = new Problems();
  const rule: UpdateSetting = { kind: 'fed-avg', serverLearningRate: kind?.value.serverLearningRate ?? 1 };
  problems.require(kind !== undefined, 'kind', 'fed_avg');
  checkRule(rule, problems);
  problems.throwIfAny('job/bad-update-rule', 'the update rule');
  return rule;
}

/** The bytes that `parseUpdateRule` reads back. Throws JobError `job/bad-update-rule` on a rule that it would refuse. */
export function encodeUpdateRule(rule: UpdateSetting): Uint8Array<ArrayBuffer> {
  const problems = new Problems();
  checkRule(rule, problems);
  problems.throwIfAny('job/bad-update-rule', 'the update rule');
  return encode(UpdateRuleMessage, {
    kind: { $case: 'fedAvg', value: { serverLearningRate: rule.serverLearningRate } },
  });
}

function checkRule(rule: UpdateSetting, problems: Problems): void {
  problems.require(isPositive(rule.serverLearningRate), 'fed_avg.server_learning_rate', 'a finite number above 0');
}
