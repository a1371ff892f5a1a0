// The ledger's arithmetic as far as the log shows it: each charge is what the silo signed in its Ack of the round, and counts of one data
// set rise with every round that was charged to it.

import { equalBytes, hex, LIMITS } from '../../base/index.js';
import { ChargeStatement, decode, type Ack } from '../../wire/index.js';
import { verified } from '../errors.js';
import type { Ledger } from '../verdict.js';
import type { Logged } from './messages.js';
import type { Numbered } from './tree.js';

interface Charge {
  readonly index: number;
  readonly rounds: bigint;
  readonly round: number;
}

/** What one silo has charged over all jobs of the log. */
export interface SiloCharges {
  readonly silo: string;
  /** Rounds charged, by job. */
  readonly byJob: ReadonlyMap<string, number>;
  /** Largest count that it signed, by data set. */
  readonly byDataSet: ReadonlyMap<string, bigint>;
}

export class ChargeBook {
  readonly #ledger: Ledger;
  /** The Ack before, whose charge the next entry has to be. */
  #due: { readonly logged: Logged; readonly charge: ChargeStatement } | undefined;
  /** By silo and job: the newest charge. */
  readonly #newest = new Map<string, Charge>();
  /** By silo, data set and count: the round that has it. */
  readonly #counts = new Map<string, { readonly index: number; readonly place: string }>();
  readonly #totals = new Map<string, { byJob: Map<string, number>; byDataSet: Map<string, bigint> }>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Every entry, in order. Throws VerifyError `verify/ledger`. */
  add(numbered: Numbered, logged: Logged | undefined): void {
    const due = this.#due;
    this.#due = undefined;
    const { entry, index } = numbered;
    if (entry.kind !== 'ledger-charge') {
      const charge = entry.kind === 'ack' && logged !== undefined ? (logged.message as Ack).charge : undefined;
      if (charge !== undefined && logged !== undefined) this.#due = { logged, charge };
      verified(
        due === undefined,
        'verify/ledger',
        `entry ${String(due?.logged.index)} is an Ack with a charge, and the charge does not follow it.`,
        [due?.logged.index ?? index],
      );
      return;
    }
    const charge = decode(ChargeStatement, 'charge', entry.body.bytes, LIMITS.logEntryBytes);
    const ack = due?.logged.entry;
    verified(
      due !== undefined &&
        ack?.subject === entry.subject &&
        ack.job === entry.job &&
        ack.round === entry.round &&
        equalBytes(due.charge.dataSet, charge.dataSet) &&
        due.charge.rounds === charge.rounds,
      'verify/ledger',
      `entry ${String(index)} charges ${entry.subject} with something else than its Ack of round ${String(entry.round)} says.`,
      [due?.logged.index ?? index, index],
    );
    this.#charged(numbered, charge);
  }

  #charged({ entry, index }: Numbered, { dataSet, rounds }: ChargeStatement): void {
    const { subject, job, round } = entry;
    const inJob = `${subject} ${job}`;
    const before = this.#newest.get(inJob);
    verified(
      before === undefined || (round > before.round && rounds > before.rounds) || round === before.round,
      'verify/ledger',
      `${subject} has charged ${String(before?.rounds)} rounds by round ${String(before?.round)} of job "${job}" and ${String(rounds)} by round ${String(round)}.`,
      [before?.index ?? index, index],
    );
    const place = `${job} ${String(round)}`;
    const name = hex(dataSet);
    const same = this.#counts.get(`${subject} ${name} ${String(rounds)}`);
    verified(
      same === undefined || same.place === place,
      'verify/ledger',
      `${subject} has charged two rounds to one data set with the same count, ${String(rounds)}.`,
      [same?.index ?? index, index],
    );
    this.#newest.set(inJob, { index, rounds, round });
    this.#counts.set(`${subject} ${name} ${String(rounds)}`, { index, place });
    const totals = this.#totals.get(subject) ?? {
      byJob: new Map<string, number>(),
      byDataSet: new Map<string, bigint>(),
    };
    this.#totals.set(subject, totals);
    if (before?.round !== round) totals.byJob.set(job, (totals.byJob.get(job) ?? 0) + 1);
    const most = totals.byDataSet.get(name) ?? 0n;
    totals.byDataSet.set(name, rounds > most ? rounds : most);
    this.#ledger.count('charges');
  }

  /** By silo. */
  totals(): SiloCharges[] {
    return [...this.#totals]
      .map(([subject, { byJob, byDataSet }]) => ({ silo: subject.slice('silo/'.length), byJob, byDataSet }))
      .sort((a, b) => (a.silo < b.silo ? -1 : 1));
  }
}
