// Long work beside the queue of events: adding up, comparing fingerprints, opening a sum. What is found comes back as an event; the state
// machine refuses what has become pointless meanwhile.

import { hex } from '../src/base/index.js';
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState } from '../src/protocol/index.js';
import type { Computation } from './compute.js';
import { CoordinatorError } from './errors.js';
import type { MissingInputs } from './missing-inputs.js';

type Work = Extract<CoordinatorEffect, { kind: 'compute-sum' | 'check-fingerprints' | 'open-sum' }>;

export interface BesideOptions {
  readonly computation: Computation;
  readonly missing: MissingInputs;
  readonly state: () => CoordinatorState;
  /** Does not throw what the state machine refuses. */
  readonly feed: (what: string, event: CoordinatorEvent) => Promise<void>;
  readonly fatal: (error: unknown) => void;
}

export class Beside {
  readonly #options: BesideOptions;
  readonly #underWay = new Set<string>();

  constructor(options: BesideOptions) {
    this.#options = options;
    options.computation.sumBlob = (sumHash) => this.#sumBlob(sumHash);
  }

  /** Once at a time for each attempt; other effects than these are passed over. */
  compute(effect: CoordinatorEffect): void {
    if (effect.kind !== 'compute-sum' && effect.kind !== 'check-fingerprints' && effect.kind !== 'open-sum') return;
    const { plan, attempt } = effect.context;
    const name = `${effect.kind} ${hex(plan.rid)}.${String(attempt.attempt)}`;
    if (this.#underWay.has(name)) return;
    this.#underWay.add(name);
    const { missing, feed, fatal } = this.#options;
    const work = async (): Promise<void> => {
      if (effect.kind === 'open-sum') await missing.keep(effect);
      await feed(effect.kind, await this.#eventOf(effect));
    };
    work()
      .catch(fatal)
      .finally(() => this.#underWay.delete(name));
  }

  #eventOf(effect: Work): Promise<CoordinatorEvent> {
    const { computation, state } = this.#options;
    if (effect.kind === 'compute-sum') return computation.computeSum(effect);
    if (effect.kind === 'check-fingerprints') return computation.checkFingerprints(effect);
    return computation.openSum(effect, state());
  }

  #sumBlob(sumHash: string): string {
    for (const { open } of this.#options.state().jobs.values()) {
      const attempt = open?.attempt;
      if (attempt?.sum !== undefined && attempt.survivors !== undefined && hex(attempt.survivors.sumHash) === sumHash)
        return hex(attempt.sum.sha256);
    }
    throw new CoordinatorError('coordinator/no-blob', 'there is no sum with this hash.');
  }
}
