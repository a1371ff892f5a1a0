// Which roster is in force at each entry of the log: the pinned one first, and then each successor where the log says so. What stands
// behind it must have been made under it.

import { equalBytes, hex } from '../../base/index.js';
import { changeOf, epochsOf, Refusal, rosterOfEpoch, type Roster } from '../../protocol/index.js';
import type { JobManifest, RoundPlan } from '../../wire/index.js';
import { verified } from '../errors.js';
import type { Ledger } from '../verdict.js';
import type { Logged } from './messages.js';
import type { Numbered } from './tree.js';

export class EpochFollower {
  readonly #chain: Roster;
  readonly #ledger: Ledger;
  #present: Roster;
  #begun = false;

  /** `chain`: the last roster of the bundle. */
  constructor(chain: Roster, ledger: Ledger) {
    this.#chain = chain;
    this.#ledger = ledger;
    // There is at least the pinned one.
    this.#present = [...epochsOf(chain)].at(-1) ?? chain;
  }

  get present(): Roster {
    return this.#present;
  }

  /** Throws VerifyError `verify/entry-place`, `verify/roster-order`. */
  add({ entry: { kind, body }, index }: Numbered): void {
    if (!this.#begun) {
      this.#begun = true;
      verified(
        kind === 'roster' && equalBytes(body.bytes, this.#present.hash),
        'verify/entry-place',
        `the log begins with ${kind === 'roster' ? `the roster ${hex(body.bytes)}` : `a ${kind}`}, not with the roster that is pinned.`,
        [index],
      );
      return;
    }
    const before = this.#present;
    const next = rosterOfEpoch(this.#chain, before.epoch + 1n);
    verified(
      next !== undefined && equalBytes(body.bytes, next.hash),
      'verify/roster-order',
      `entry ${String(index)} puts the roster ${hex(body.bytes)} in force after epoch ${String(before.epoch)}; the bundle has ${next === undefined ? 'none' : hex(next.hash)} there.`,
      [index],
    );
    this.#present = next;
    const { removed, added } = changeOf(before, next);
    const changes = [...removed.map((silo) => `without ${silo}`), ...added.map((silo) => `with ${silo}`)];
    this.#ledger.notes.push(
      `epoch ${String(next.epoch)} of the roster from entry ${String(index)} on: ${changes.join(', ') || 'the same silos'}.`,
    );
  }

  /** A manifest and a plan are of the roster in force. Throws Refusal `manifest/wrong-roster`, `plan/roster-epoch`. */
  check(logged: Logged | undefined): void {
    if (logged === undefined) return;
    const { entry, index, message } = logged;
    const { epoch, hash } = this.#present;
    if (entry.kind === 'manifest' && !equalBytes((message as JobManifest).rosterHash, hash))
      throw new Refusal(
        'manifest/wrong-roster',
        `the manifest of entry ${String(index)} is not of epoch ${String(epoch)}.`,
      );
    if (entry.kind === 'plan' && (message as RoundPlan).rosterEpoch !== epoch)
      throw new Refusal(
        'plan/roster-epoch',
        `the plan of entry ${String(index)} is of epoch ${String((message as RoundPlan).rosterEpoch)}, in force was ${String(epoch)}.`,
      );
  }
}
