// The vectors of a result, piece by piece: inputs of members without a fingerprint, then Y and X.

import { packedBytes, sumWidth } from '../../vector/index.js';
import { layoutOfRound, PIECE_COORDINATES, Refusal, VectorCheck, type CheckedResult } from '../../protocol/index.js';
import type { BundleReader } from '../bundle/reader.js';
import { PART } from '../parts.js';
import type { Ledger } from '../verdict.js';

/** How the log calls the erasure of inputs that were served (docs/audit.md). */
const ERASED_INPUTS = 'erase-missing-inputs';

/** The opened sum, computed from Y and the openings. Throws Refusal `result/…`, VerifyError `verify/missing-part`. */
export function checkVectors(
  bundle: BundleReader,
  ledger: Ledger,
  result: CheckedResult,
  erased: ReadonlyMap<string, number>,
): Int32Array {
  const { manifest, plan } = result.context;
  const { jobId, round } = plan;
  const check = new VectorCheck(result);
  const { length } = layoutOfRound(manifest, round);
  const { sizes } = check;
  const inputErased = (index: number): boolean =>
    erased.has(ERASED_INPUTS) && !bundle.has(PART.input(jobId, round, index));
  const gone = result.missing.filter(inputErased);
  for (const index of result.missing) {
    if (gone.includes(index)) continue;
    const name = PART.input(jobId, round, index);
    demandSize('result/missing-input', bundle, name, sizes.input);
    const input = check.missingInput(index);
    const piece = packedBytes(PIECE_COORDINATES, manifest.modulusBits);
    for (let at = 0; at < sizes.input; at += piece) input.update(bundle.slice(name, at, piece));
    input.finish();
  }
  const [sum, opened] = [PART.sum(jobId, round), PART.opened(jobId, round)];
  demandSize('result/sum', bundle, sum, sizes.sum);
  demandSize('result/opened', bundle, opened, sizes.opened);
  const values = new Int32Array(length);
  const piece = packedBytes(PIECE_COORDINATES, sumWidth(manifest.modulusBits));
  for (let at = 0; at < length; at += PIECE_COORDINATES) {
    const number = at / PIECE_COORDINATES;
    values.set(
      check.update(bundle.slice(sum, number * piece, piece), bundle.slice(opened, 4 * at, 4 * PIECE_COORDINATES)),
      at,
    );
  }
  check.finish({ fingerprints: gone.length === 0 });
  if (gone.length > 0)
    ledger.notes.push(
      `round ${String(round)} of ${jobId}: the input of ${gone.map((index) => plan.cohort[index] ?? '').join(', ')} was erased after a threshold had verified the round: its fingerprints rest on their Acks.`,
    );
  ledger.count('coordinates', length);
  if (gone.length === 0) ledger.count('fingerprints', 2 * (result.fingerprints.size + result.missing.length));
  return values;
}

function demandSize(
  code: 'result/missing-input' | 'result/sum' | 'result/opened',
  bundle: BundleReader,
  name: string,
  expected: number,
): void {
  if (bundle.sizeOf(name) !== expected)
    throw new Refusal(code, `${name} has ${String(bundle.sizeOf(name))} bytes, the layout needs ${String(expected)}.`);
}
