// Fields of a manifest that say less than they must, or more than anybody keeps.

import { describe, expect, it } from 'vitest';
import { openManifest, readLayout } from '../../../src/protocol/index.js';
import { ClipKind, Visibility, type Segment } from '../../../src/wire/index.js';
import { found, manifestOf, powerSegment, signManifest } from '../../support/memory/founding.js';

const founded = found(5);

function real(clipKind: ClipKind): Segment {
  return {
    name: 'delta',
    length: 3n,
    quantiser: { $case: 'real', value: { clipKind, clip: 1, scale: 10, qMax: 10n } },
    visibility: Visibility.VISIBILITY_PUBLIC,
    coarseStep: 0n,
  };
}

describe('a sum layout', () => {
  it('is refused when a segment does not say how it is clipped, or says it in a way nobody knows', () => {
    for (const kind of [ClipKind.CLIP_KIND_UNSPECIFIED, ClipKind.UNRECOGNIZED])
      expect(() => readLayout({ segments: [real(kind)] })).toThrow(
        expect.objectContaining({ code: 'manifest/invalid' }),
      );
    for (const kind of [ClipKind.CLIP_KIND_L2, ClipKind.CLIP_KIND_EACH])
      expect(readLayout({ segments: [real(kind)] }).length).toBe(3);
  });

  it('of a hundred thousand bad segments is refused in a few words', () => {
    const segments = Array.from({ length: 60_000 }, () => ({ ...powerSegment(5), name: '', length: 0n }));
    const envelope = signManifest(founded, manifestOf(founded, { layout: { segments } }));
    try {
      openManifest(founded.roster, envelope);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(vector|wire|envelope)\//) as string });
      expect((error as Error).message.length).toBeLessThan(1000);
    }
  });
});

describe('a manifest', () => {
  const refused = (changes: Parameters<typeof manifestOf>[1]): void => {
    expect(() => openManifest(founded.roster, signManifest(founded, manifestOf(founded, changes)))).toThrow(
      expect.objectContaining({ code: 'manifest/invalid' }),
    );
  };

  it('is refused when it promises differential privacy, which this version does not provide', () => {
    for (const epsilon of [0.1, -1, Number.NaN, Infinity]) refused({ privacy: { epsilon, delta: 0 } });
    refused({ privacy: { epsilon: 0, delta: 1e-6 } });
  });

  it('is refused when a bound of acceptance is no number from 0, since nothing would exceed it', () => {
    for (const bound of [Number.NaN, -1, Infinity]) {
      refused({ acceptance: { minWeight: bound, maxMeanNorm: 1 } });
      refused({ acceptance: { minWeight: 1, maxMeanNorm: bound } });
    }
  });

  it('is refused when a phase may take no time at all, or longer than a day', () => {
    const { timeouts } = manifestOf(founded);
    for (const ms of [0, 86_400_001, 2 ** 31, 2 ** 32 - 1])
      for (const phase of ['advertiseMs', 'maskMs', 'graceMs'] as const)
        refused({ timeouts: { ...timeouts!, [phase]: ms } });
  });
});
