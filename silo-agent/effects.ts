// What the silo's state machine asks for after an event, but for the record itself: messages to the coordinator, and long work beside the
// queue, each piece under a name so that it is under way once at a time.

import { hex, unreachable } from '../src/base/index.js';
import type { SiloEffect } from '../src/protocol/index.js';
import { failpoint } from '../src/system/index.js';
import type { Log } from '../src/telemetry/index.js';
import { forgetInput, inputName } from './input-store.js';
import type { Outbox } from './outbox.js';
import type { Store } from './store.js';
import type { Tasks } from './tasks.js';

export type RunEffect = Exclude<SiloEffect, { kind: 'persist' }>;

export interface EffectsOptions {
  readonly store: Store;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly tasks: Tasks;
  readonly work: (name: string, task: () => Promise<void>) => void;
  /** Asks the coordinator for everything again. */
  readonly watchAnew: () => void;
}

export class Effects {
  readonly #options: EffectsOptions;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  run(effect: RunEffect): void {
    const { store, log, outbox, tasks, work, watchAnew } = this.#options;
    switch (effect.kind) {
      case 'submit':
        outbox.send({ envelope: effect.envelope, ciphertexts: [...effect.ciphertexts] });
        return;
      case 'ask-operator':
        work(`ask ${effect.manifest.jobId}`, () => tasks.ask(effect.manifest));
        return;
      case 'ask-about-roster':
        work(`ask ${hex(effect.proposed.hash)}`, () => tasks.askAboutRoster(effect));
        return;
      case 'keep-roster':
        work(`roster ${String(effect.roster.epoch)}`, () => tasks.keepRoster(effect.roster));
        return;
      case 'prepare-job':
        work(`prepare ${effect.manifest.jobId}`, () => tasks.prepare(effect.manifest));
        return;
      case 'contribute':
        work(`contribute ${hex(effect.plan.rid)}`, () => tasks.contribute(effect));
        return;
      case 'mask-and-upload':
        work(
          `upload ${hex(effect.plan.rid)} ${String(effect.attempt)}`,
          atFirst('silo.before-upload', () => tasks.upload(effect)),
        );
        return;
      case 'fingerprint':
        work(`fingerprint ${hex(effect.survivors.t3)}`, () => tasks.fingerprint(effect));
        return;
      case 'verify-result':
        work(`verify ${hex(effect.result.hash)}`, () => tasks.verify(effect));
        return;
      case 'forget-input':
        work(`forget ${hex(effect.inputHash)}`, () => forgetInput(store, inputName(effect.inputHash)));
        return;
      case 'watch-anew':
        watchAnew();
        return;
      case 'notice':
        if (effect.code === 'job/closed') work(`release ${effect.jobId}`, () => tasks.release(effect.jobId));
        log.warn('round.notice', { job: effect.jobId, round: effect.round, code: effect.code, detail: effect.detail });
        return;
      default:
        unreachable(effect);
    }
  }
}

/** A task that passes a failpoint when it is first tried, and not when it is tried again. */
function atFirst(name: string, task: () => Promise<void>): () => Promise<void> {
  let tried = false;
  return () => {
    if (!tried) failpoint(name);
    tried = true;
    return task();
  };
}
