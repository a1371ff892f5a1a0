// What the ledger commands show: the journal of an agent read beside the program that has it open, and what is said of it.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accountOf, initialSiloState, roundsCharged } from '../../../src/protocol/index.js';
import { Journal, openStorageKey, Sealer } from '../../../src/storage/index.js';
import { ClipKind, NoiseMechanism, Visibility, type JobManifest } from '../../../src/wire/index.js';
import { JOURNAL } from '../../../silo-agent/agent.js';
import { accountLines, costLines } from '../../../silo-agent/ledger-words.js';
import { readSiloState } from '../../../silo-agent/read-state.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy, powerSegment } from '../../support/memory/founding.js';
import { jobOf } from '../../support/memory/readings.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const BUDGET = { epsilon: 8, delta: 1e-5, withoutNoise: false };

/** Three rounds of noise 3: a sum of vectors of 100 parameters, each at most 1000 units long. */
const noisy: Partial<JobManifest> = {
  roundLimit: 3,
  layout: {
    segments: [
      powerSegment(4),
      {
        name: 'delta',
        length: 100n,
        quantiser: {
          $case: 'real',
          value: { clipKind: ClipKind.CLIP_KIND_L2, clip: 1, scale: 1000, qMax: 1000n },
        },
        visibility: Visibility.VISIBILITY_NOISED,
        coarseStep: 0n,
      },
    ],
  },
  privacy: { epsilon: 10, delta: 1e-5 },
  noise: {
    mechanism: NoiseMechanism.NOISE_MECHANISM_SKELLAM,
    variance: (3 * 1010) ** 2,
    tail: 100_000n,
    rotated: false,
    recordSensitivity: 0,
  },
};

describe('the ledger of an agent that is running', () => {
  const policy = { ...openPolicy, budgets: new Map([['records', BUDGET]]) };
  const consortium = new MemoryConsortium(4, { manifest: noisy, policy });
  consortium.run(2);
  const silo = consortium.silos[0]!;

  it('is read beside the one that has the journal open, and shown as it stands', async () => {
    const state = temporaryFolder();
    const storage = join(state, 'storage.key');
    const { self } = silo.state;
    const config = { state, keys: { storage, signing: '' } };
    expect(roundsCharged(await readSiloState(config, self), 'records')).toBe(0);
    const sealer = Sealer.derive(await openStorageKey(storage), 'agent-journal');
    const journal = await Journal.open({ path: join(state, 'journal'), sealer });
    await journal.append(JOURNAL, silo.journal);
    const read = await readSiloState(config, self);
    // Nothing of the reader is in the writer's way.
    await journal.append('others', [Uint8Array.of(1)]);
    await journal.close();
    expect(read.ledger).toEqual(silo.state.ledger);
    const lines = accountLines('records', accountOf(read, 'records', 0.5));
    const epsilon = accountOf(silo.state, 'records', 0.5).spent;
    expect(lines).toEqual([
      'Data set records',
      '  budget    epsilon 8 at delta 0.00001 for each hospital with all its records; rounds without noise are refused',
      `  spent     epsilon ${epsilon.toPrecision(4)} at delta 0.00001 for each hospital with all its records in 2 rounds with noise`,
      `  left      epsilon ${(8 - epsilon).toPrecision(4)}`,
      '  JOB    ROUNDS  LAST  PROTECTS  NOISE',
      '  job-1  2       2     hospital  skellam',
    ]);
  });

  it('says of a job what is left of it to pay', () => {
    const [before, cost, left] = costLines(silo.state, jobOf(silo).manifest, 'records');
    expect(before).toMatch(
      /^Data set records so far: epsilon \d\.\d+ at delta 0\.00001 for each hospital with all its records in 2 rounds with noise\.$/,
    );
    expect(cost).toMatch(
      /^What is not charged yet of this job \(1 round\) would bring each hospital with all its records from epsilon \d\.\d+ to \d\.\d+ at delta 0\.00001\.$/,
    );
    expect(left).toMatch(/^The budget is epsilon 8: \d\.\d+ would be left\.$/);
  });

  it('of a data set that nothing was charged to says so', () => {
    const fresh = initialSiloState({ ...silo.state.self, policy: openPolicy });
    expect(accountLines('vitals', accountOf(fresh, 'vitals', 1e-5))).toEqual([
      'Data set vitals',
      '  budget    none: nothing is refused',
      '  spent     epsilon 0 at delta 0.00001 for each hospital with all its records in 0 rounds with noise',
    ]);
  });
});
