// Segments of a manifest that say less than they must.

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
