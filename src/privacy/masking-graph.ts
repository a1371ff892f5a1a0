// Degree and share threshold of a k-regular masking graph (Bell, Bonawitz, Gascón, Lepoint, Raykova, CCS 2020) from n, c and the silos that
// may be absent. Whole numbers of any size throughout, so that every silo and every verifier finds the same two numbers.
//
// The coordinator can try out transcripts until the graph that follows from one pleases it, and chooses who is absent when it has seen the
// graph. So nothing that protects an input rests on chance here: conditions 1 to 4 of docs/protocol.md §2.10 hold for every graph of this
// degree. Only that an attempt finds its shares (condition 5) is a matter of chance, and refusing service is in the coordinator's power anyway.

export interface GraphParameters {
  /** k: neighbours of each silo, even and below n − 1. */
  readonly degree: number;
  /** s: shares that give a secret back, out of those of the k neighbours and of the silo itself. */
  readonly shareThreshold: number;
  /** a: of the cohort, how many may be missing from the survivors. */
  readonly absent: number;
}

/** An attempt with at most `absent` silos missing fails for want of shares with a probability below 2^-this. */
export const CORRECTNESS_BITS = 30;

/** The smallest graph that keeps every condition; undefined when only the complete one would. */
export function graphParameters(n: number, c: number, absent: number): GraphParameters | undefined {
  for (let degree = 2; degree < n - 1; degree += 2) {
    const graph = withThreshold(n, c, absent, degree);
    if (graph !== undefined && isSecret(n, c, graph) && isCorrect(n, graph)) return graph;
  }
  return undefined;
}

/** The smallest threshold that leaves one kind of share for each silo, and one aggregate for each round. */
function withThreshold(n: number, c: number, absent: number, degree: number): GraphParameters | undefined {
  const honest = n - absent - c;
  if (honest <= 0) return undefined;
  const oneKind = Math.ceil((degree + c + 2) / 2);
  const oneAggregate = Math.min(absent + c + 1, Math.floor(((absent + c) * (degree + 1)) / honest) + 1);
  const shareThreshold = Math.max(oneKind, oneAggregate);
  return shareThreshold <= degree + 1 ? { degree, shareThreshold, absent } : undefined;
}

/** Conditions 1 to 4: what protects inputs from c colluding silos and the coordinator, whatever graph of this degree it is. */
export function isSecret(n: number, c: number, { degree, shareThreshold, absent }: GraphParameters): boolean {
  const connected = degree >= absent + c + 1;
  const secret = shareThreshold >= c + 1;
  const oneKind = 2 * shareThreshold >= degree + 1 + c + 1;
  const oneAggregate = absent + c <= releasesThatOpenNothing(n, c, { degree, shareThreshold, absent });
  return connected && secret && oneKind && oneAggregate;
}

/**
 * With so many silos releasing in an attempt its sum can not be opened, whoever they are: at least n − a − c honest survivors need s shares
 * each, and who releases gives shares of k + 1 silos.
 */
export function releasesThatOpenNothing(
  n: number,
  c: number,
  { degree, shareThreshold, absent }: GraphParameters,
): number {
  const needed = (n - absent - c) * shareThreshold;
  return Math.max(shareThreshold - 1, Math.floor((needed - 1) / (degree + 1)));
}

/** Condition 5: n · P[more than k + 1 − s of a neighbourhood are among the absent] <= 2^-30. A neighbourhood is k + 1 silos in a row. */
function isCorrect(n: number, { degree, shareThreshold, absent }: GraphParameters): boolean {
  const tail = upperTail({ population: n, marked: absent, drawn: degree + 1 }, degree + 2 - shareThreshold);
  return BigInt(n) * tail.favourable * 2n ** BigInt(CORRECTNESS_BITS) <= tail.all;
}

export interface Draw {
  readonly population: number;
  readonly marked: number;
  readonly drawn: number;
}

/** P[at least `least` of the drawn are marked], hypergeometric, as an exact fraction. */
export function upperTail(
  { population, marked, drawn }: Draw,
  least: number,
): { readonly favourable: bigint; readonly all: bigint } {
  let favourable = 0n;
  for (let x = Math.max(least, 0); x <= Math.min(marked, drawn); x++)
    favourable += choose(marked, x) * choose(population - marked, drawn - x);
  return { favourable, all: choose(population, drawn) };
}

const rows = new Map<number, readonly bigint[]>();

/** Binomial coefficients, a row of them at a time: there are at most as many rows as silos in a cohort. */
function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  const row = rows.get(n) ?? rowOf(n);
  rows.set(n, row);
  return row[k] ?? 0n;
}

function rowOf(n: number): bigint[] {
  const row = [1n];
  let last = 1n;
  for (let k = 1; k <= n; k++) {
    last = (last * BigInt(n - k + 1)) / BigInt(k);
    row.push(last);
  }
  return row;
}

/** Colluding neighbours with whom, when a of the cohort are missing, a silo can stand alone or its masks be opened: with fewer it cannot. */
export function collusionNeeded({ degree, shareThreshold, absent }: GraphParameters): number {
  return Math.min(shareThreshold, degree - absent);
}

/**
 * What is left when more collude than the job assumes: −log2 of a bound on the probability that `colluders` silos, placed before the graph
 * is drawn, are enough of the neighbours of some other silo. Infinity when they never are. Chance, not a promise: with 2^b transcripts tried
 * out it is b less.
 */
export function exposureBits(n: number, graph: GraphParameters, colluders: number): number {
  const draw = { population: n - 1, marked: colluders, drawn: graph.degree };
  const { favourable, all } = upperTail(draw, collusionNeeded(graph));
  if (favourable === 0n) return Infinity;
  // Both are below 2^200, far inside a double.
  return Math.max(0, Math.log2(Number(all)) - Math.log2(Number(favourable)) - Math.log2(n));
}
