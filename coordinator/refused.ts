// A rejection of the state machine, thrown to whoever asked.

import { CodedError } from '../src/base/index.js';
import type { Rejection } from '../src/protocol/index.js';

export class Refused extends CodedError {
  constructor(rejection: Omit<Rejection, 'evidence'>) {
    super(rejection.code, rejection.detail, { category: rejection.category });
  }
}
