// A regular masking graph in a job file, in the manifest that follows, and in the words for those who approve it.

import { describe, expect, it } from 'vitest';
import {
  buildManifest,
  cohortSizes,
  explainManifest,
  graphLines,
  graphRefusal,
  JobError,
  type StatisticsJobFile,
} from '../../../src/job/index.js';
import { graphFor, validCohortSizes, type Manifest } from '../../../src/protocol/index.js';
import { decode, encode, JobManifest } from '../../../src/wire/index.js';
import { refusalsOf } from '../../../silo-agent/refusals.js';
import { contract, statisticsManifest, trainingManifest } from '../../support/jobs.js';

const names = (count: number): string[] => Array.from({ length: count }, (_, k) => `h-${String(k).padStart(3, '0')}`);

const { target: _target, ...data } = contract;
const file: StatisticsJobFile = {
  kind: 'statistics',
  job: 'many-statistics',
  description: 'Means and deviations of a large consortium.',
  silos: names(200),
  maxMalicious: 5,
  minCohort: 150,
  data,
};
const facts = { rosterHash: new Uint8Array(32).fill(1), initialModelHash: new Uint8Array(32).fill(2) };
const built = (changes: Partial<StatisticsJobFile>): JobManifest => buildManifest({ ...file, ...changes }, facts);
const pathsOf = (changes: Partial<StatisticsJobFile>): string[] => {
  try {
    built(changes);
    return [];
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    return error.problems.map(({ path }) => path);
  }
};

describe('a masking graph in a job file', () => {
  it('is in the manifest when it is regular, and costs not one byte when it is complete or not there', () => {
    const regular = built({ graph: { kind: 'regular', absent: 20 } });
    expect(regular.graph).toEqual({ absent: 20 });
    expect(decode(JobManifest, 'manifest', encode(JobManifest, regular)).graph).toEqual({ absent: 20 });
    const silent = encode(JobManifest, built({}));
    expect(encode(JobManifest, built({ graph: { kind: 'complete' } }))).toEqual(silent);
    expect(decode(JobManifest, 'manifest', silent).graph).toBeUndefined();
    // None absent is not the same as no graph.
    const strict = encode(JobManifest, built({ graph: { kind: 'regular', absent: 0 } }));
    expect(decode(JobManifest, 'manifest', strict).graph).toEqual({ absent: 0 });
  });

  it('is refused where it gives nothing or cannot be, by the name of the field', () => {
    expect(pathsOf({ graph: { kind: 'regular', absent: 20 } })).toEqual([]);
    expect(pathsOf({ graph: { kind: 'regular', absent: 51 } })).toEqual(['graph.absent']);
    expect(pathsOf({ graph: { kind: 'regular', absent: 1.5 } })).toEqual(['graph.absent']);
    expect(pathsOf({ minCohort: 7, maxMalicious: 2, graph: { kind: 'regular', absent: 2 } })).toEqual(['graph']);
  });

  it('leaves the cohort sizes that protocol/ allows, with what may be absent and how many honest inputs there are', () => {
    for (const [c, absent] of [
      [1, 2],
      [3, 5],
      [5, 10],
    ] as const) {
      const sizes = cohortSizes({ silos: 60, maxMalicious: c, minCohort: 3, minHonest: 2, graph: { absent } });
      expect(sizes.map(({ silos }) => silos)).toEqual(
        validCohortSizes(60, { c, minCohort: 3, minHonest: 2, graph: { absent } }),
      );
      for (const { silos, mayBeAbsent, honestInputs } of sizes) {
        expect(graphFor(silos, c, { absent })).toBeDefined();
        expect([mayBeAbsent, honestInputs]).toEqual([absent, silos - absent - c]);
      }
    }
  });
});

describe('what is said of a regular graph', () => {
  const manifest = { silos: names(200), maxMalicious: 5, minCohort: 150, graph: { absent: 20 } };
  const lines = graphLines(manifest).join('\n');

  it('names neighbours, what stays certain, who may be absent, who can reconstruct, and what is chance', () => {
    expect(lines).toContain('each hospital masks with 40 of the 199 others');
    expect(lines).toContain('with up to 5 colluding and 20 missing');
    expect(lines).toContain('at most 20 may be missing from a sum, instead of 66');
    expect(lines).toContain('24 of the 41 that hold a hospital’s shares can open its masks, instead of 134 of 200');
    expect(lines).toContain(
      '20 colluding among the 40 neighbours of a hospital can expose it, where the complete graph takes 67 of 200',
    );
    expect(lines).toContain('With 66 colluding, some hospital has so many beside it in almost every round');
    const few = graphLines({ ...manifest, maxMalicious: 3, graph: { absent: 60 } }).join('\n');
    expect(few).toMatch(/with a probability of up to 2\^-10, and surely when graphs are tried out/);
    expect(lines).toContain('probability below 2^-30');
    expect(graphLines({ ...manifest, graph: undefined })).toEqual([]);
  });

  it('stands in the explanation of a manifest, with the refusal where the policy demands the complete graph', () => {
    const large = statisticsManifest({ ...manifest });
    const textWith = (graph: 'complete' | 'regular' | undefined): string =>
      explainManifest(large, {
        manifestHash: new Uint8Array(32),
        policy: { minCohort: 5, minHonest: 3, maxMalicious: 0, graph },
      })
        .flatMap((section) => section.lines)
        .join('\n');
    expect(textWith('regular')).toContain('each hospital masks with 40 of the 199 others');
    expect(textWith('regular')).toContain(
      'A round of 200: 20 may drop out before the sum is opened; at least 175 honest',
    );
    expect(textWith('regular')).not.toContain('would take no part');
    expect(textWith('complete')).toContain('This hospital would take no part: plan/graph-complete');
    expect(textWith(undefined)).not.toContain('would take no part');
  });

  it('is refused by a policy that demands the complete graph, or assumes more colluding than the graph withstands', () => {
    expect(graphRefusal(manifest, { maxMalicious: 0, graph: 'regular' })).toBeUndefined();
    expect(graphRefusal(manifest, { maxMalicious: 0, graph: 'complete' })).toContain('plan/graph-complete');
    expect(graphRefusal(manifest, { maxMalicious: 0 })).toContain('plan/graph-complete');
    expect(graphRefusal(manifest, { maxMalicious: 30, graph: 'regular' })).toContain('plan/graph-floor');
    expect(graphRefusal({ ...manifest, graph: undefined }, { maxMalicious: 30 })).toBeUndefined();
  });

  it('is what `veilsum-agent policy explain` says, with the code under which the agent would refuse', () => {
    const { dataSet } = contract;
    const config = (graph: 'complete' | 'regular') =>
      ({
        policy: { minCohort: 5, minHonest: 3, maxMalicious: 0, graph, privacy: { dataSets: {} } },
        dataSets: { [dataSet]: {} },
      }) as unknown as Parameters<typeof refusalsOf>[0];
    const large = { message: trainingManifest({ ...manifest }) } as Manifest;
    expect(refusalsOf(config('regular'), large)).toEqual([]);
    expect(refusalsOf(config('complete'), large)).toMatchObject([expect.stringContaining('plan/graph-complete')]);
  });
});
