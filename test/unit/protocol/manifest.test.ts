// Manifests: what neither silo nor coordinator takes for a job (docs/protocol.md §2.2, §2.5).

import { describe, expect, it } from 'vitest';
import { isCodedError, LIMITS } from '../../../src/base/index.js';
import { openManifest, seal, siloSigner } from '../../../src/protocol/index.js';
import { JobKind, JobManifest, NoiseMechanism, Visibility, type Segment } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { found, keyFrom, manifestOf, powerSegment, signManifest } from '../../support/memory/founding.js';
import { refusedBySilo, refusedEvent, until } from '../../support/memory/refusals.js';

const founded = found(4);

function codeOf(change: Partial<JobManifest>): string {
  try {
    openManifest(founded.roster, signManifest(founded, manifestOf(founded, change)));
  } catch (error) {
    if (isCodedError(error)) return error.code;
    throw error;
  }
  return 'accepted';
}

const segment = (change: Partial<Segment>): Partial<JobManifest> => ({
  layout: { segments: [{ ...powerSegment(4), ...change }] },
});

const noise = {
  mechanism: NoiseMechanism.NOISE_MECHANISM_SKELLAM,
  variance: 100,
  tail: 200n,
  rotated: false,
  recordSensitivity: 0,
};
const privacy = { epsilon: 1, delta: 1e-5 };
const noised: Partial<JobManifest> = { noise, privacy, ...segment({ visibility: Visibility.VISIBILITY_NOISED }) };

describe('a manifest', () => {
  it('is accepted when it keeps every rule', () => {
    expect(codeOf({})).toBe('accepted');
    expect(codeOf({ kind: JobKind.JOB_KIND_STATISTICS, roundLimit: 1 })).toBe('accepted');
    expect(codeOf(noised)).toBe('accepted');
  });

  const REFUSED: [string, string, Partial<JobManifest>][] = [
    ['of another version', 'manifest/invalid', { version: 2 }],
    ['made under another roster', 'manifest/wrong-roster', { rosterHash: new Uint8Array(32) }],
    ['whose job id is no name', 'manifest/invalid', { jobId: 'Job 1' }],
    ['of an unknown kind', 'manifest/invalid', { kind: JobKind.JOB_KIND_UNSPECIFIED }],
    ['without rounds', 'manifest/invalid', { roundLimit: 0 }],
    ['with too many rounds', 'manifest/invalid', { roundLimit: LIMITS.roundsMax + 1 }],
    ['for statistics of two rounds', 'manifest/invalid', { kind: JobKind.JOB_KIND_STATISTICS, roundLimit: 2 }],
    ['with a modulus of 15 bits', 'manifest/invalid', { modulusBits: 15 }],
    ['with a modulus of 33 bits', 'manifest/invalid', { modulusBits: 33 }],
    ['without timeouts', 'manifest/invalid', { timeouts: undefined }],
    ['whose silos are not sorted', 'manifest/invalid', { silos: [...founded.silos].reverse() }],
    ['that names a silo twice', 'manifest/invalid', { silos: [founded.silos[0]!, ...founded.silos] }],
    ['that names a silo outside the roster', 'manifest/invalid', { silos: [...founded.silos, 'silo-900'] }],
    ['that names something that is no silo id', 'manifest/invalid', { silos: ['Silo'] }],
    ['with a smallest cohort of 2', 'manifest/invalid', { minCohort: 2 }],
    ['with a smallest cohort larger than the job', 'manifest/invalid', { minCohort: 5 }],
    ['with more malicious silos than silos', 'manifest/invalid', { maxMalicious: 5 }],
    ['whose first model has no hash', 'manifest/invalid', { initialModelHash: new Uint8Array(31) }],
    ['without a layout', 'manifest/invalid', { layout: undefined }],
    ['with an empty layout', 'vector/bad-layout', { layout: { segments: [] } }],
    ['with a segment without a quantiser', 'manifest/invalid', segment({ quantiser: undefined })],
    [
      'with a segment that is marked as noised',
      'manifest/invalid',
      segment({ visibility: Visibility.VISIBILITY_NOISED }),
    ],
    ['with noise and no segment for it', 'manifest/invalid', { noise, privacy }],
    ['with noise and no epsilon', 'manifest/invalid', { ...noised, privacy: { epsilon: 0, delta: 1e-5 } }],
    ['with noise and a delta of 1', 'manifest/invalid', { ...noised, privacy: { epsilon: 1, delta: 1 } }],
    ['with noise of no variance', 'manifest/invalid', { ...noised, noise: { ...noise, variance: 0 } }],
    ['with noise without a tail', 'manifest/invalid', { ...noised, noise: { ...noise, tail: 0n } }],
    [
      'with noise of an unknown kind',
      'manifest/invalid',
      { ...noised, noise: { ...noise, mechanism: NoiseMechanism.NOISE_MECHANISM_UNSPECIFIED } },
    ],
    ['with noise and a closing round', 'manifest/invalid', { ...noised, closingLayout: segment({}).layout }],
    [
      'with noise in a statistics job',
      'manifest/invalid',
      { ...noised, kind: JobKind.JOB_KIND_STATISTICS, roundLimit: 1 },
    ],
    ['whose noise could overflow', 'vector/overflow', { ...noised, noise: { ...noise, tail: 2n ** 30n } }],
    [
      'with a segment that does not say what it tells',
      'manifest/invalid',
      segment({ visibility: Visibility.VISIBILITY_UNSPECIFIED }),
    ],
    [
      'whose sum could overflow',
      'vector/overflow',
      segment({ quantiser: { $case: 'integer', value: { max: 2n ** 29n } } }),
    ],
    [
      'whose closing sum could overflow',
      'vector/overflow',
      {
        closingLayout: {
          segments: [{ ...powerSegment(4), quantiser: { $case: 'integer', value: { max: 2n ** 30n } } }],
        },
      },
    ],
    ['with a segment longer than can be counted', 'vector/bad-layout', segment({ length: 2n ** 63n })],
  ];
  for (const [what, code, change] of REFUSED)
    it(`is refused ${what}`, () => {
      expect(codeOf(change)).toBe(code);
    });

  it('is refused with 201 silos', () => {
    const many = found(201);
    const manifest = signManifest(many, manifestOf(many));
    expect(() => openManifest(many.roster, manifest)).toThrow(/200 silos/);
  });
  it('is refused unless an operator of the consortium signed it', () => {
    const code = (signer: string, key = founded.operatorKey): string => {
      try {
        openManifest(founded.roster, seal(key, signer, 'manifest', JobManifest, manifestOf(founded)));
      } catch (error) {
        if (isCodedError(error)) return error.code;
        throw error;
      }
      return 'accepted';
    };
    expect(code('operator/olga')).toBe('accepted');
    expect(code('coordinator', founded.coordinatorKey)).toBe('envelope/wrong-signer');
    expect(code(siloSigner(founded.silos[0]!), founded.keyOf(founded.silos[0]!))).toBe('envelope/wrong-signer');
    expect(code('operator/omar', keyFrom('operator/omar'))).toBe('envelope/unknown-signer');
    expect(code('operator/olga', keyFrom('operator/omar'))).toBe('envelope/bad-signature');
    expect(() => openManifest(founded.roster, undefined)).toThrow(/operator/);
  });
});

describe('a job that is offered', () => {
  const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
  const { silo } = until(consortium, 'start', 1);
  const changed = signManifest(consortium.founded, manifestOf(consortium.founded, { roundLimit: 2 }));
  const same = signManifest(consortium.founded, manifestOf(consortium.founded, { roundLimit: 1 }));

  it('is refused by silo and coordinator when other bytes are known under its id', () => {
    expect(refusedBySilo(silo, { $case: 'jobOffer', value: { manifest: changed } })).toBe('manifest/repeated-job');
    expect(refusedEvent(consortium, { $case: 'jobCreated', value: { manifest: changed } })).toBe(
      'manifest/repeated-job',
    );
  });
  it('is answered with the same approval when it is offered again', () => {
    const before = silo.sent.length;
    expect(refusedBySilo(silo, { $case: 'jobOffer', value: { manifest: same } })).toBe('accepted');
    expect(silo.sent.slice(before).map(({ type }) => type)).toEqual(['approval']);
  });
  it('is refused by a silo that is not in it', () => {
    const without = signManifest(
      consortium.founded,
      manifestOf(consortium.founded, { jobId: 'job-2', silos: ['silo-000', 'silo-002', 'silo-003'] }),
    );
    expect(refusedBySilo(silo, { $case: 'jobOffer', value: { manifest: without } })).toBe('manifest/invalid');
  });
});
