// How a verified sum becomes the next model: the manifest's `update_rule`, parsed and checked. The arithmetic itself is model/'s.

import type { UpdateRule } from '../model/index.js';
import { encode, UpdateRule as UpdateRuleMessage } from '../wire/index.js';
import { decodeCanonical } from './canonical.js';
import { isPositive, Problems } from './problems.js';

/** `learningRate`: step along the mean update; 1 with `fed-avg` is plain federated averaging. */
export type UpdateSetting = UpdateRule;

/** Throws JobError `job/bad-update-rule` with every bad field. */
export function parseUpdateRule(bytes: Uint8Array): UpdateSetting {
  const { kind } = decodeCanonical(UpdateRuleMessage, 'update rule', bytes, 'job/bad-update-rule');
  const problems = new Problems();
  const rule = kind === undefined ? undefined : readRule(kind);
  if (rule === undefined) problems.add('kind', 'fed_avg, fed_avg_m, fed_adam, fed_yogi or fed_adagrad');
  else checkRule(rule, problems);
  problems.throwIfAny('job/bad-update-rule', 'the update rule');
  // Undefined is a problem, and the line above has thrown.
  return rule as UpdateSetting;
}

/** The bytes that `parseUpdateRule` reads back. Throws JobError `job/bad-update-rule` on a rule that it would refuse. */
export function encodeUpdateRule(rule: UpdateSetting): Uint8Array<ArrayBuffer> {
  const problems = new Problems();
  checkRule(rule, problems);
  problems.throwIfAny('job/bad-update-rule', 'the update rule');
  return encode(UpdateRuleMessage, { kind: writeRule(rule) });
}

type Message = NonNullable<UpdateRuleMessage['kind']>;

function readRule({ $case, value }: Message): UpdateSetting {
  const { serverLearningRate: learningRate, ...rest } = value;
  // Each message has the fields of its rule and no others.
  return { kind: KINDS[$case], learningRate, ...rest } as UpdateSetting;
}

function writeRule({ kind, learningRate: serverLearningRate, ...rest }: UpdateSetting): Message {
  // As in `readRule`.
  return { $case: CASES[kind], value: { serverLearningRate, ...rest } } as Message;
}

const KINDS = {
  fedAvg: 'fed-avg',
  fedAvgM: 'fed-avg-m',
  fedAdam: 'fed-adam',
  fedYogi: 'fed-yogi',
  fedAdagrad: 'fed-adagrad',
} as const satisfies Record<Message['$case'], UpdateSetting['kind']>;

const CASES = {
  'fed-avg': 'fedAvg',
  'fed-avg-m': 'fedAvgM',
  'fed-adam': 'fedAdam',
  'fed-yogi': 'fedYogi',
  'fed-adagrad': 'fedAdagrad',
} as const satisfies Record<UpdateSetting['kind'], Message['$case']>;

function checkRule(rule: UpdateSetting, problems: Problems): void {
  const path = rule.kind.replaceAll('-', '_');
  problems.require(isPositive(rule.learningRate), `${path}.server_learning_rate`, 'a finite number above 0');
  const belowOne = (value: number, field: string): void => {
    problems.require(value >= 0 && value < 1, `${path}.${field}`, 'a number from 0 to below 1');
  };
  if (rule.kind === 'fed-avg-m') belowOne(rule.momentum, 'momentum');
  if ('beta1' in rule) {
    belowOne(rule.beta1, 'beta1');
    problems.require(isPositive(rule.tau), `${path}.tau`, 'a finite number above 0');
  }
  if ('beta2' in rule) belowOne(rule.beta2, 'beta2');
}
