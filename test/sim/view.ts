// What the coordinator and c silos that help it can compute from all they saw: masked inputs are linear in inputs and masks, masks whose
// secrets reached the threshold of shares are known and fall away. What is left after the unknown masks are eliminated over Z_{2^32} must
// be one sum of enough honest inputs, or nothing, over all attempts of a round; and over all rounds of all jobs together, in which one input
// may come again, nothing that tells few silos' inputs apart from the others' (docs/protocol.md §3).

import { Broken } from './face.js';

export type ShareKind = 'self' | 'key';

interface Upload {
  readonly silo: number;
  readonly attempt: string;
  /** The key of what was put in: under one key a silo's input is one unknown, in whatever job and round. */
  readonly input: string;
  /** T2, which salts the masks, and with whom of U2 it masks. */
  readonly t2: string;
  readonly dealers: readonly number[];
}

/** Of a round: shares that give a secret back, and members that its sum has at least. */
export interface Counts {
  readonly shares: number;
  readonly least: number;
}

interface RoundView {
  readonly counts: Counts;
  readonly uploads: Map<string, Upload>;
  /** By attempt, kind and dealer: whose shares are known to the coordinator, and who was dealt one. */
  readonly released: Map<string, Set<number>>;
  readonly dealt: Map<string, Set<number>>;
}

/** Coefficients by name of the unknown. */
type Row = Map<string, number>;

export class View {
  readonly #rounds = new Map<string, RoundView>();

  #round(rid: string, counts: Counts): RoundView {
    const known = this.#rounds.get(rid);
    if (known !== undefined) return known;
    const round = { counts, uploads: new Map(), released: new Map(), dealt: new Map() };
    this.#rounds.set(rid, round);
    return round;
  }

  uploaded(rid: string, counts: Counts, upload: Upload): void {
    this.#round(rid, counts).uploads.set(`${upload.silo} ${upload.attempt} ${upload.t2}`, upload);
  }

  dealt(rid: string, counts: Counts, attempt: string, dealer: number, recipient: number): void {
    const { dealt } = this.#round(rid, counts);
    for (const kind of ['self', 'key'] as const) addTo(dealt, `${attempt} ${kind} ${dealer}`, recipient);
  }

  released(rid: string, counts: Counts, attempt: string, kind: ShareKind, dealer: number, index: number): void {
    addTo(this.#round(rid, counts).released, `${attempt} ${kind} ${dealer}`, index);
  }

  /**
   * Throws Broken when the coalition can compute anything of a round but one sum of honest inputs: at least t − c, or n − a − c. And when
   * all rounds together tell inputs of fewer honest silos than `minHonest` apart.
   */
  check(coalition: ReadonlySet<number>, malicious: number, minHonest = 2): void {
    const all: Row[] = [];
    for (const [rid, round] of this.#rounds) {
      const seen = seenIn(round, coalition);
      all.push(...seen);
      const rows = eliminate(eliminate(seen, 'mask '), 'q', true);
      if (rows.length > 1)
        throw new Broken(`two aggregates of round ${rid.slice(0, 8)} are derivable: ${rows.map(spell).join(' and ')}`);
      const [only] = rows;
      if (only === undefined) continue;
      if (new Set(only.values()).size > 1 || only.size < Math.max(2, round.counts.least - malicious))
        throw new Broken(`of round ${rid.slice(0, 8)} more than a sum is derivable: ${spell(only)}`);
    }
    if (this.#rounds.size > 1) checkTogether(eliminate(all, 'mask '), minHonest);
  }
}

/**
 * Inputs with the same coefficient in each of these rows have it in everything that follows from them, so what follows is a combination of
 * the sums of such classes: a single input, or a sum of few, is derivable only where a class is as small.
 */
function checkTogether(rows: readonly Row[], minHonest: number): void {
  const classes = new Map<string, string[]>();
  for (const name of new Set(rows.flatMap((row) => [...row.keys()]))) {
    const column = rows.map((row) => row.get(name) ?? 0).join(',');
    classes.set(column, [...(classes.get(column) ?? []), name]);
  }
  for (const inputs of classes.values()) {
    if (new Set(inputs.map((name) => name.slice(0, name.indexOf(' ')))).size >= minHonest) continue;
    const sums = rows.filter((row) => inputs.some((name) => row.has(name))).map(spell);
    throw new Broken(`over all jobs ${inputs.join(' + ')} stands apart from the others: ${sums.join(' and ')}`);
  }
}

function addTo(map: Map<string, Set<number>>, name: string, value: number): void {
  const set = map.get(name);
  if (set === undefined) map.set(name, new Set([value]));
  else set.add(value);
}

function spell(row: Row): string {
  return [...row].map(([name, times]) => `${times} ${name}`).join(' + ');
}

/** Masked inputs of honest silos, without what the coalition knows. */
function seenIn(round: RoundView, coalition: ReadonlySet<number>): Row[] {
  const knows = (attempt: string, kind: ShareKind, dealer: number): boolean => {
    if (coalition.has(dealer)) return true;
    const name = `${attempt} ${kind} ${dealer}`;
    const shares = new Set(round.released.get(name));
    for (const index of round.dealt.get(name) ?? []) if (coalition.has(index)) shares.add(index);
    return shares.size >= round.counts.shares;
  };
  const rows: Row[] = [];
  for (const { silo, attempt, input, t2, dealers } of round.uploads.values()) {
    if (coalition.has(silo)) continue;
    const row: Row = new Map([[`q${silo} ${input}`, 1]]);
    if (!knows(attempt, 'self', silo)) row.set(`mask ${attempt} ${t2} ${silo}`, 1);
    if (!knows(attempt, 'key', silo))
      for (const peer of dealers) {
        if (peer === silo || knows(attempt, 'key', peer)) continue;
        const name = `mask ${attempt} ${t2} ${Math.min(silo, peer)}-${Math.max(silo, peer)}`;
        row.set(name, peer > silo ? 1 : -1);
      }
    rows.push(row);
  }
  return rows;
}

/** Rows without the unknowns of this kind, or, with `keep`, a basis of what they span. Pivots are ±1, which have inverses mod 2^32. */
function eliminate(rows: readonly Row[], kind: string, keep = false): Row[] {
  const left = rows.map((row) => new Map(row));
  const done: Row[] = [];
  const basis: Row[] = [];
  for (let row = left.shift(); row !== undefined; row = left.shift()) {
    const pivot = [...row].find(([name, times]) => name.startsWith(kind) && Math.abs(times) === 1);
    if (pivot === undefined) {
      if ([...row.keys()].some((name) => name.startsWith(kind))) throw new Error('a pivot without an inverse');
      if (row.size > 0) done.push(row);
      continue;
    }
    const [name, sign] = pivot;
    if (keep) basis.push(new Map(row));
    for (const other of left) {
      const times = other.get(name);
      if (times === undefined) continue;
      for (const [unknown, value] of row) {
        const next = ((other.get(unknown) ?? 0) - Math.imul(Math.imul(times, sign), value)) | 0;
        if (next === 0) other.delete(unknown);
        else other.set(unknown, next);
      }
    }
  }
  return keep ? basis : done;
}
