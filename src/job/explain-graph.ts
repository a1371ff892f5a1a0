// What a regular masking graph changes for a hospital, in plain words (docs/protocol.md §2.10, docs/threat-model.md).

import { collusionNeeded, CORRECTNESS_BITS, exposureBits, graphParameters, isSecret } from '../privacy/index.js';
import type { JobManifest } from '../wire/index.js';
import { thresholdOf } from './cohort.js';

/** Tries of transcripts that a patient coordinator is granted in what is said of chance: 2 to this. */
const GRINDING_BITS = 40;

export type GraphFacts = Pick<JobManifest, 'silos' | 'maxMalicious' | 'minCohort' | 'graph'>;

/** The graph of the largest cohort, for the words below; undefined with the complete graph. */
function graphOf({ silos, maxMalicious, graph }: GraphFacts): ReturnType<typeof graphParameters> {
  return graph && graphParameters(silos.length, maxMalicious, graph.absent);
}

/** Nothing where the graph is complete. */
export function graphLines(manifest: GraphFacts): string[] {
  const graph = graphOf(manifest);
  if (graph === undefined) return [];
  const n = manifest.silos.length;
  const c = manifest.maxMalicious;
  const { degree, shareThreshold, absent } = graph;
  const t = thresholdOf(n);
  return [
    `Masks and shares run along a regular graph, not between all: in a round of ${String(n)} each hospital masks with ${String(degree)} of the ${String(n - 1)} others, who follow anew in each attempt from what everybody has signed. What this changes:`,
    `  Connectivity: with up to ${String(c)} colluding and ${String(absent)} missing, the other hospitals of a sum stay connected by masks that nobody else knows, for certain and whatever the coordinator does. A sum then tells no more than with the complete graph.`,
    `  Absence: at most ${String(absent)} may be missing from a sum, instead of ${String(n - t)}. A round in which more are missing is given up, and nothing of it is opened.`,
    `  Who can reconstruct: ${String(shareThreshold)} of the ${String(degree + 1)} that hold a hospital’s shares can open its masks, instead of ${String(t)} of ${String(n)}.`,
    `  Beyond the ${String(c)} assumed: ${exposureWords(n, graph)}`,
    `  Failure: an attempt with at most ${String(absent)} missing ends for want of shares with a probability below 2^-${String(CORRECTNESS_BITS)}; it is repeated or given up, and never opened in part.`,
  ];
}

/** What remains when the assumption fails, against the most that the complete graph withstands. */
function exposureWords(n: number, graph: NonNullable<ReturnType<typeof graphOf>>): string {
  const most = n - thresholdOf(n);
  const needed = collusionNeeded(graph);
  const complete = `${String(most + 1)} of ${String(n)}`;
  if (needed > most)
    return `nothing is promised. It takes ${complete} to expose a hospital, as with the complete graph.`;
  const bits = exposureBits(n, graph, most);
  const chance =
    bits > GRINDING_BITS
      ? `with a probability below 2^-${String(Math.floor(bits))}, and 2^-${String(Math.floor(bits) - GRINDING_BITS)} when 2^${String(GRINDING_BITS)} graphs are tried out`
      : bits >= 1
        ? `with a probability of up to 2^-${String(Math.floor(bits))}, and surely when graphs are tried out`
        : 'in almost every round';
  return `nothing is promised, and it takes fewer: ${String(needed)} colluding among the ${String(graph.degree)} neighbours of a hospital can expose it, where the complete graph takes ${complete}. With ${String(most)} colluding, some hospital has so many beside it ${chance}.`;
}

/** Why a silo with this policy takes no part in the job because of its graph; undefined when it may. With the code it would say. */
export function graphRefusal(
  manifest: GraphFacts,
  policy: { readonly maxMalicious: number; readonly graph?: 'complete' | 'regular' | undefined },
): string | undefined {
  const graph = graphOf(manifest);
  if (graph === undefined) return undefined;
  if (policy.graph !== 'regular')
    return 'plan/graph-complete: it masks along a regular graph; policy.graph demands the complete one.';
  const c = Math.max(manifest.maxMalicious, policy.maxMalicious);
  return isSecret(manifest.silos.length, c, graph)
    ? undefined
    : `plan/graph-floor: its graph is made for ${String(manifest.maxMalicious)} malicious silos, policy.maxMalicious assumes ${String(c)}.`;
}
