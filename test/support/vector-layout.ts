// A wire layout as the vector room wants it, for tests that need no signed manifest.

import { layoutOf, type Layout } from '../../src/vector/index.js';
import { ClipKind, Visibility, type SumLayout } from '../../src/wire/index.js';

export function vectorLayout({ segments }: SumLayout): Layout {
  return layoutOf(
    segments.map(({ name, length, quantiser, visibility, coarseStep }) => ({
      name,
      length: Number(length),
      quantiser:
        quantiser?.$case === 'real'
          ? {
              kind: 'real',
              clipKind: quantiser.value.clipKind === ClipKind.CLIP_KIND_L2 ? 'l2' : 'each',
              clip: quantiser.value.clip,
              scale: quantiser.value.scale,
              qMax: Number(quantiser.value.qMax),
            }
          : { kind: 'integer', max: Number(quantiser?.value.max ?? 0n) },
      visibility: visibility === Visibility.VISIBILITY_COARSE ? 'coarse' : 'public',
      coarseStep: Number(coarseStep),
    })),
  );
}
