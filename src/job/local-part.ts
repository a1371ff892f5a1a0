// Personalised parameters: those that a manifest names as `local` are trained by every silo for itself and are in no sum. A silo trains
// the whole vector; what is shared of it is the vector of the job.

import { initialParameters, readForwardModel, type ForwardModel, type ParameterSlot } from '../model/index.js';

/** A piece of the whole vector and where it stands in a part of it. */
interface Run {
  readonly whole: number;
  readonly part: number;
  readonly length: number;
}

export interface LocalPart {
  /** Length of the vector that a silo trains. */
  readonly wholeCount: number;
  readonly sharedCount: number;
  readonly localCount: number;
  /** The local parameters as the file has them, with which every silo starts. */
  readonly initial: Float32Array;
  readonly shared: readonly Run[];
  readonly local: readonly Run[];
}

/** What a manifest says about which parameters are trained; each empty or absent for all and for none. */
export interface ModelParts {
  readonly train?: readonly string[] | undefined;
  readonly local?: readonly string[] | undefined;
}

/** `shared`: the model of the job, in which local parameters are frozen. Undefined when none is local. */
export function localPart(onnx: Uint8Array, shared: ForwardModel, { train, local }: ModelParts): LocalPart | undefined {
  if (local === undefined || local.length === 0) return undefined;
  const whole = readForwardModel(onnx, train === undefined || train.length === 0 ? {} : { train });
  const places = new Map(shared.parameters.map((slot) => [slot.name, slot.offset]));
  const own = whole.parameters.filter(({ name }) => !places.has(name));
  let at = 0;
  const runs = {
    shared: whole.parameters.flatMap((slot) => runOf(slot, places.get(slot.name))),
    local: own.flatMap((slot) => {
      at += slot.length;
      return runOf(slot, at - slot.length);
    }),
  };
  return {
    wholeCount: whole.parameterCount,
    sharedCount: shared.parameterCount,
    localCount: at,
    initial: gather(runs.local, at, initialParameters(whole)),
    ...runs,
  };
}

function runOf({ offset, length }: ParameterSlot, part: number | undefined): Run[] {
  return part === undefined ? [] : [{ whole: offset, part, length }];
}

/** The vector that a silo trains, from the job's and its own. */
export function joinParts(part: LocalPart, shared: ArrayLike<number>, local: ArrayLike<number>): Float32Array {
  const whole = new Float32Array(part.wholeCount);
  scatter(part.shared, shared, whole);
  scatter(part.local, local, whole);
  return whole;
}

export function sharedOf(part: LocalPart, whole: Float32Array): Float32Array {
  return gather(part.shared, part.sharedCount, whole);
}

export function localOf(part: LocalPart, whole: Float32Array): Float32Array {
  return gather(part.local, part.localCount, whole);
}

function gather(runs: readonly Run[], length: number, whole: Float32Array): Float32Array {
  const values = new Float32Array(length);
  for (const run of runs) values.set(whole.subarray(run.whole, run.whole + run.length), run.part);
  return values;
}

function scatter(runs: readonly Run[], values: ArrayLike<number>, whole: Float32Array): void {
  for (const run of runs) for (let i = 0; i < run.length; i++) whole[run.whole + i] = values[run.part + i] ?? 0;
}
