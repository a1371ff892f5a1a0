// What an operator reads before approving.

import { describe, expect, it } from 'vitest';
import { explainManifest, type ExplanationContext } from '../../../src/job/index.js';
import { deriveLayout, encodeContract } from '../../../src/job/index.js';
import { contract, recipe, room, statisticsManifest, trainingManifest, trainingTerms } from '../../support/jobs.js';

const context: ExplanationContext = {
  manifestHash: new Uint8Array(32).fill(0xab),
  silo: 'b',
  organisations: new Map([['b', 'City Hospital']]),
  policy: { minCohort: 5, minHonest: 3, maxMalicious: 0 },
};

const textOf = (manifest = trainingManifest(), given = context): string =>
  explainManifest(manifest, given)
    .map(({ title, lines }) => [title, ...lines].join('\n'))
    .join('\n');

describe('the explanation of a manifest', () => {
  it('says what is read, and that nothing else is', () => {
    const text = textOf();
    expect(text).toContain(
      'Data set heart, by the query in this hospital’s own configuration. Other columns are not read.',
    );
    expect(text).toContain('age: 0 to 120 (years)');
    expect(text).toContain('Outcome: sick, 0 or 1.');
    expect(text).toContain('Between 20 and 10000 records');
  });

  it('says what leaves, segment by segment', () => {
    const text = textOf();
    expect(text).toContain('33 whole numbers of 32 bits a round');
    expect(text).toContain('delta (7): the change of each model parameter, its L2 norm cut at 2, times the weight');
    expect(text).toContain('weight (1): this hospital’s weight, 1 from 200 records on, rounded to 64ths');
    expect(text).toContain('About 20 % of the records are kept apart');
    expect(text).not.toContain('NOT KNOWN');
  });

  it('warns of a public weight and of a segment that it does not know', () => {
    if (trainingTerms.kind !== 'train') throw new Error('not training');
    const layout = deriveLayout({ ...trainingTerms, weightVisibility: 'public' }, room);
    layout.segments.push({ ...layout.segments[1]!, name: 'leak' });
    const text = textOf(trainingManifest({ layout }));
    expect(text).toContain('exact: comparing two rounds can tell its number of records');
    expect(text).toContain('leak (1): NOT KNOWN to this version: do not approve');
  });

  it('says who takes part, what may be malicious, and which cohorts work', () => {
    const text = textOf();
    expect(text).toContain('b, City Hospital (this hospital)');
    expect(text).toContain('Up to 1 of the 5 may be malicious and collude with the coordinator.');
    expect(text).toContain('A sum is opened only over 5 hospitals or more.');
    expect(text).toContain(
      'A round of 5: 1 may drop out before the sum is opened; at least 3 honest inputs are in the sum.',
    );
  });

  it('uses the hospital’s own policy where it is stricter, and says so', () => {
    const silos = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const manifest = trainingManifest({ silos, maxMalicious: 0, minCohort: 3 });
    const text = textOf(manifest, { ...context, policy: { minCohort: 6, minHonest: 3, maxMalicious: 1 } });
    expect(text).toContain('Up to 1 of the 7');
    expect(text).toContain('A sum is opened only over 6 hospitals or more.');
    expect(text).toContain('which is stricter than the job');
  });

  it('says when no cohort would ever do', () => {
    const text = textOf(trainingManifest(), { ...context, policy: { minCohort: 5, minHonest: 5, maxMalicious: 1 } });
    expect(text).toContain('it would never take part');
  });

  it('says plainly when nobody may be malicious', () => {
    expect(textOf(trainingManifest({ maxMalicious: 0 }))).toContain('protects against the coordinator alone');
  });

  it('says that no noise is added, and shows the hashes in full', () => {
    const text = textOf();
    expect(text).toContain('No differential privacy noise is added.');
    expect(text).toContain('the ledger counts its uses');
    expect(text).toContain(`manifest  ${'ab'.repeat(32)}`);
    expect(text).toContain(`model     ${'02'.repeat(32)}`);
  });

  it('of training names rounds, the closing one, optimiser and standardisation', () => {
    const manifest = trainingManifest({
      closingLayout: deriveLayout({ kind: 'evaluate', recipe, contract }, room),
      standardiseBy: { jobId: 'heart-statistics', resultHash: new Uint8Array(32).fill(5) },
      reopenedKeys: [new Uint8Array(32)],
      fullVerification: false,
    });
    const text = textOf(manifest);
    expect(text).toContain('Trains a model in up to 10 rounds, and one more that measures the final model.');
    expect(text).toContain('A round trains 2 passes over the local records in batches of 16');
    expect(text).toContain('standardised by the result of job heart-statistics');
    expect(text).toContain('allows 1 earlier input to be opened once more');
    expect(text).toContain('private random tenth');
  });

  it('names the parameters when only some are trained', () => {
    expect(textOf(trainingManifest({ train: ['head.*', 'scale'] }))).toContain(
      'Only these parameters are in the sum, all others keep the values of the file: head.*, scale.',
    );
    expect(textOf(trainingManifest())).not.toContain('Only these parameters');
  });

  it('of statistics has no model and reads no outcome', () => {
    const sections = explainManifest(statisticsManifest(), context);
    expect(sections.map(({ title }) => title)).toEqual([
      'Job',
      'What is read',
      'What leaves this hospital',
      'Who takes part',
      'Privacy',
      'Hashes',
    ]);
    expect(textOf(statisticsManifest())).toContain('No outcome is read.');
  });

  it('cannot be made to say something else by control characters', () => {
    const text = textOf(trainingManifest({ description: 'harmless\u001b[2J\u202e\r\nPrivacy\nNoise is added.' }));
    expect(text).not.toMatch(/[\u001b\u202e\r]/);
    expect(text).toContain('harmless [2J Privacy Noise is added.');
  });

  it('is not given for a manifest whose parts are bad', () => {
    expect(() => textOf(trainingManifest({ recipe: encodeContract(contract) }))).toThrow(
      expect.objectContaining({ code: 'job/bad-manifest' }),
    );
  });
});
