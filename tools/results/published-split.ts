// The split of Fed-Heart-Disease that FLamby publishes figures for: scikit-learn's stratified train_test_split of each centre, 34 % for the
// test, random_state 43. Rows keep FLamby's order of a centre's file.

import { NumpyRandom } from './numpy-random.js';

const STATE = 43;
const TEST_PART = 0.34;

/** Positions of the training and of the test rows. `labels`: 0 or 1 for each row. */
export function publishedSplit(labels: readonly number[]): { train: number[]; test: number[] } {
  const random = new NumpyRandom(STATE);
  const testRows = Math.ceil(labels.length * TEST_PART);
  const classes = [0, 1].map((label) => [...labels.keys()].filter((row) => labels[row] === label));
  const counts = classes.map((rows) => rows.length);
  const inTrain = share(counts, labels.length - testRows, random);
  const inTest = share(
    counts.map((count, i) => count - (inTrain[i] ?? 0)),
    testRows,
    random,
  );
  const train: number[] = [];
  const test: number[] = [];
  classes.forEach((rows, i) => {
    const [trained = 0, tested = 0] = [inTrain[i], inTest[i]];
    // permutation(n) indexes the rows of the class.
    const order = random.permutation(rows.length).map((at) => rows[at] as number);
    train.push(...order.slice(0, trained));
    test.push(...order.slice(trained, trained + tested));
  });
  return { train: random.shuffled(train), test: random.shuffled(test) };
}

/** Whole numbers in proportion to `counts` that add up to `draws`, largest remainders first; ties are drawn. */
function share(counts: readonly number[], draws: number, random: NumpyRandom): number[] {
  const total = counts.reduce((a, b) => a + b, 0);
  const exact = counts.map((count) => (count / total) * draws);
  const parts = exact.map(Math.floor);
  let missing = draws - parts.reduce((a, b) => a + b, 0);
  const remainders = exact.map((value, i) => value - (parts[i] ?? 0));
  for (const value of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing === 0) break;
    const equal = [...remainders.keys()].filter((i) => remainders[i] === value);
    for (const at of random.permutation(equal.length).slice(0, missing)) {
      const chosen = equal[at] ?? 0;
      parts[chosen] = (parts[chosen] ?? 0) + 1;
      missing--;
    }
  }
  return parts;
}
