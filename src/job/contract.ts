// What a job expects of each silo's records: the manifest's `data_contract`, parsed once into a type in which every field has been
// checked. The silo's own query decides where the columns come from; this only names them and their ranges.

import { equalBytes, isName, LIMITS } from '../base/index.js';
import { DataContract, encode, MissingValues, type Target as TargetMessage } from '../wire/index.js';
import { decodeCanonical } from './canonical.js';
import { checkFeature, checkRange, isText, readFeature, writeFeature, type FeatureColumn } from './contract-feature.js';
import { JobError } from './errors.js';
import { JOB_LIMITS } from './limits.js';
import { isWhole, Problems } from './problems.js';

export type TargetColumn =
  | { readonly kind: 'binary'; readonly column: string }
  | { readonly kind: 'classes'; readonly column: string; readonly classes: number }
  | { readonly kind: 'real'; readonly column: string; readonly minimum: number; readonly maximum: number }
  | {
      readonly kind: 'survival';
      /** Time until the event or the end of observation, above 0. */
      readonly column: string;
      /** 1 when the event was seen, 0 when the record is censored. */
      readonly eventColumn: string;
      /** Longest time. */
      readonly maximum: number;
    };

export interface Contract {
  /** Name of the data set in the agent's configuration. */
  readonly dataSet: string;
  readonly features: readonly FeatureColumn[];
  /** Undefined for statistics. */
  readonly target: TargetColumn | undefined;
  readonly missing: 'refuse' | 'drop-row';
  /** Fewer records than this and the silo does not take part. */
  readonly minRows: number;
  /** Records of one silo, at most: the overflow bounds rest on it. */
  readonly maxRows: number;
  /** The column whose equal values make one unit of privacy; each record is one unless given. */
  readonly unitColumn?: string | undefined;
}

/** Throws JobError `job/bad-contract` with every bad field. */
export function parseContract(bytes: Uint8Array): Contract {
  const message = decodeCanonical(DataContract, 'data contract', bytes, 'job/bad-contract');
  const problems = new Problems();
  const missing = MISSING_NAMES.get(message.missing);
  problems.require(missing !== undefined, 'missing', 'refuse or drop-row');
  const target = message.target === undefined ? undefined : readTarget(message.target, problems);
  const contract: Contract = {
    dataSet: message.dataSet,
    features: message.features.map(readFeature),
    target,
    missing: missing ?? 'refuse',
    minRows: Number(message.minRows),
    maxRows: Number(message.maxRows),
    ...(message.unitColumn === '' ? {} : { unitColumn: message.unitColumn }),
  };
  checkContract(contract, problems);
  problems.throwIfAny('job/bad-contract', 'the data contract');
  // A fill of a column that fills nothing, say, would be approved unread.
  if (!equalBytes(encodeContract(contract), bytes))
    throw new JobError('job/bad-contract', 'the data contract: it sets fields that their own column does not use.');
  return contract;
}

/** The bytes that `parseContract` reads back. Throws JobError `job/bad-contract` on a contract that it would refuse. */
export function encodeContract(contract: Contract): Uint8Array<ArrayBuffer> {
  const problems = new Problems();
  checkContract(contract, problems);
  problems.throwIfAny('job/bad-contract', 'the data contract');
  return encode(DataContract, {
    dataSet: contract.dataSet,
    features: contract.features.map(writeFeature),
    target: contract.target === undefined ? undefined : writeTarget(contract.target),
    missing:
      contract.missing === 'refuse' ? MissingValues.MISSING_VALUES_REFUSE : MissingValues.MISSING_VALUES_DROP_ROW,
    minRows: BigInt(contract.minRows),
    maxRows: BigInt(contract.maxRows),
    unitColumn: contract.unitColumn ?? '',
  });
}

const MISSING_NAMES: ReadonlyMap<MissingValues, Contract['missing']> = new Map([
  [MissingValues.MISSING_VALUES_REFUSE, 'refuse'],
  [MissingValues.MISSING_VALUES_DROP_ROW, 'drop-row'],
]);

function checkContract(contract: Contract, problems: Problems): void {
  const { rowsMax } = JOB_LIMITS;
  problems.require(isName(contract.dataSet), 'data_set', 'lower-case letters, digits and inner hyphens, at most 63');
  problems.require(
    isWhole(contract.features.length, 1, LIMITS.featuresMax),
    'features',
    `1 to ${String(LIMITS.featuresMax)} columns`,
  );
  const seen = new Set<string>();
  for (const [index, feature] of contract.features.entries()) {
    const path = `features[${String(index)}]`;
    checkColumn(feature.column, `${path}.column`, seen, problems);
    checkFeature(feature, path, problems);
  }
  if (contract.target !== undefined) checkTarget(contract.target, seen, problems);
  if (contract.unitColumn !== undefined) checkColumn(contract.unitColumn, 'unit_column', seen, problems);
  problems.require(isWhole(contract.maxRows, 1, rowsMax), 'max_rows', `1 to ${String(rowsMax)} records`);
  problems.require(isWhole(contract.minRows, 1, contract.maxRows), 'min_rows', 'at least 1 and at most max_rows');
}

function checkTarget(target: TargetColumn, seen: Set<string>, problems: Problems): void {
  checkColumn(target.column, 'target.column', seen, problems);
  switch (target.kind) {
    case 'binary':
      return;
    case 'classes':
      problems.require(
        isWhole(target.classes, 2, JOB_LIMITS.classesMax),
        'target.classes',
        `2 to ${String(JOB_LIMITS.classesMax)} classes`,
      );
      return;
    case 'real':
      checkRange(target, 'target.real', problems);
      return;
    case 'survival':
      checkColumn(target.eventColumn, 'target.survival.event_column', seen, problems);
      problems.require(
        target.maximum > 0 && Math.fround(target.maximum) < Infinity,
        'target.survival.maximum',
        'a number above 0, within the range of 32-bit floating point',
      );
  }
}

function checkColumn(column: string, path: string, seen: Set<string>, problems: Problems): void {
  problems.require(
    column.length > 0 && isText(column),
    path,
    `a column name of 1 to ${String(JOB_LIMITS.nameLength)} printable characters`,
  );
  problems.require(!seen.has(column), path, 'a column that is named only once');
  seen.add(column);
}

function readTarget({ column, kind }: TargetMessage, problems: Problems): TargetColumn | undefined {
  switch (kind?.$case) {
    case 'binary':
      return { kind: 'binary', column };
    case 'classes':
      return { kind: 'classes', column, classes: kind.value.classes };
    case 'real':
      return { kind: 'real', column, minimum: kind.value.minimum, maximum: kind.value.maximum };
    case 'survival':
      return { kind: 'survival', column, eventColumn: kind.value.eventColumn, maximum: kind.value.maximum };
    case undefined:
      problems.add('target', 'binary, classes, real or survival');
      return undefined;
  }
}

function writeTarget(target: TargetColumn): TargetMessage {
  switch (target.kind) {
    case 'binary':
      return { column: target.column, kind: { $case: 'binary', value: {} } };
    case 'classes':
      return { column: target.column, kind: { $case: 'classes', value: { classes: target.classes } } };
    case 'real':
      return {
        column: target.column,
        kind: { $case: 'real', value: { minimum: target.minimum, maximum: target.maximum } },
      };
    case 'survival':
      return {
        column: target.column,
        kind: { $case: 'survival', value: { eventColumn: target.eventColumn, maximum: target.maximum } },
      };
  }
}
