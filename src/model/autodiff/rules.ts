// The allow-list: every operator a forward model may use. Nothing else is run on private records.

import type { OperatorRule } from './rule.js';
import { add } from './add.js';
import { constant } from './constant.js';
import { div } from './div.js';
import { flatten } from './flatten.js';
import { gemm } from './gemm.js';
import { identity } from './identity.js';
import { matMul } from './mat-mul.js';
import { mul } from './mul.js';
import { relu } from './relu.js';
import { reshape } from './reshape.js';
import { sigmoid } from './sigmoid.js';
import { softmax } from './softmax.js';
import { sub } from './sub.js';
import { tanh } from './tanh.js';

const LIST: readonly OperatorRule[] = [
  add,
  constant,
  div,
  flatten,
  gemm,
  identity,
  matMul,
  mul,
  relu,
  reshape,
  sigmoid,
  softmax,
  sub,
  tanh,
];

export const RULES: ReadonlyMap<string, OperatorRule> = new Map(LIST.map((rule) => [rule.operator, rule]));
