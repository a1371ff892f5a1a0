// An attack as a part that is played: a coordinator that lies, silos that misbehave, or both, in a simulation where everything else is as it
// should be. It ends in a code, in evidence that convicts whoever signed it, and in nobody's shares released for it.

import { evidenceFile, judgeEvidenceFile, memorySource } from '../../src/audit/index.js';
import { concat, hex, unixMs } from '../../src/base/index.js';
import { evidenceOf, type Rejection } from '../../src/protocol/index.js';
import type { Directive, Envelope, SubmitRequest } from '../../src/wire/index.js';
import type { Outgoing } from './face.js';
import type { Script } from './script.js';
import type { SimSilo } from './silo.js';
import { Simulation, type Plant, type Tally } from './simulation.js';

export type Body = NonNullable<Directive['body']>;
type BodyOf<Kind extends Body['$case']> = Extract<Body, { $case: Kind }>['value'];

/** What the one who plays has at hand. */
export interface Stage {
  readonly simulation: Simulation;
  /** Signed messages that convict somebody: kept by whoever they were shown to. */
  readonly shown: Kept[];
}

export type Kept = Pick<Rejection, 'code' | 'evidence' | 'exhibits'>;

export interface Attack {
  /** A sentence without a subject. */
  readonly attack: string;
  /** Of what it ends in: a refusal, a bar, or what an operator is told. */
  readonly code: string;
  /** "accused charge" of everybody whom the evidence convicts; what convicts nobody is not signed twice, or only the coordinator saw it. */
  readonly convicts?: readonly string[];
  /** Silos that release no share in the whole of it. The others release for the true sum alone, which the oracles see to. */
  readonly spared?: readonly number[];
  /** Rounds that end with a result all the same. */
  readonly rounds: number;
  readonly script?: Partial<Script>;
  readonly plant?: Plant;
  play?(stage: Stage): void;
}

/** Silos 0 and 1 are honest in all of these; this one is who attacks, or who helps the coordinator. */
export const COLLUDER = 4;
export const VICTIM = 1;

export interface Played {
  readonly simulation: Simulation;
  readonly tally: Tally;
  readonly convictions: readonly string[];
}

/** Runs it to its end with every oracle looking on. */
export function play(attack: Attack): Played {
  const script: Script = { seed: 1, silos: 5, jobs: 1, rounds: 1, malicious: 1, operations: [], ...attack.script };
  const shown: Kept[] = [];
  const cast = (simulation: Simulation): void => {
    attack.play?.({ simulation, shown });
  };
  const simulation = new Simulation(script, { ...attack.plant, cast });
  const tally = simulation.run();
  return { simulation, tally, convictions: convictions(simulation, shown) };
}

/** What a stranger with the roster makes of all evidence that anybody has, with the second implementation of the signatures. */
function convictions({ founded, silos, coordinator }: Simulation, shown: readonly Kept[]): string[] {
  const barred = [...coordinator.state.jobs.values()].flatMap((job) => [...job.barred.values()]);
  const kept: Kept[] = [...silos.flatMap(({ proofs }) => proofs), ...coordinator.proofs, ...barred, ...shown];
  const records = kept.flatMap((one) => evidenceOf({ ...one, detail: 'played' }, unixMs(1)) ?? []);
  if (records.length === 0) return [];
  const inputs = [...coordinator.missing.values()].flat().map(({ sha256 }) => coordinator.blobs.get(hex(sha256))!);
  const file = concat(...evidenceFile({ roster: founded.rosterBytes, records, inputs }));
  const judged = judgeEvidenceFile(memorySource(file), founded.roster.hash);
  return [
    ...new Set(judged.flatMap((one) => one.convictions.map(({ accused, charge }) => `${accused} ${charge}`))),
  ].sort();
}

/** The coordinator tells these silos something else in the place of every directive of one kind. */
export function tellsInstead<Kind extends Body['$case']>(
  { simulation }: Stage,
  silos: readonly number[],
  kind: Kind,
  change: (value: BodyOf<Kind>, silo: number) => Body | readonly Body[],
): void {
  const before = simulation.tells;
  simulation.oracle.honestCoordinator = false;
  simulation.tells = (silo, directive) => {
    const { body, sequence } = directive;
    if (body?.$case !== kind || !silos.includes(silo)) return before(silo, directive);
    // The kind was compared above.
    const told = change(body.value as BodyOf<Kind>, silo);
    return (Array.isArray(told) ? told : [told]).map((one: Body) => ({ sequence, body: one }));
  };
}

/** The colluder changes every message of one type that it sends; `undefined`: it goes out as it is. */
export function changes(
  { simulation }: Stage,
  type: string,
  change: (out: Outgoing, silo: SimSilo) => Partial<Outgoing> | undefined,
): SimSilo {
  const silo = simulation.silos[COLLUDER]!;
  silo.tamper = (out) => (out.envelope.type === type ? { ...out, ...change(out, silo) } : out);
  return silo;
}

/** The colluder hands in a message beside those that its machine sends. */
export function handsIn(
  { simulation }: Stage,
  envelope: Envelope,
  ciphertexts: SubmitRequest['ciphertexts'] = [],
): void {
  simulation.coordinator.submit(simulation.silos[COLLUDER]!.id, { envelope, ciphertexts });
}

/** In the order of the cohort. */
export const everybody = [0, 1, 2, 3, 4];
