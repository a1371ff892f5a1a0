// What a round takes when every silo has a machine of its own: calculated from the measured stages of one silo and of the coordinator, and
// from the transport's rate, which all silos share at the coordinator. A whole round on one machine does the work of all silos on its cores.

import type { Stage } from './stages.js';

/** Milliseconds of the bytes at this rate. */
const through = (bytes: number, megabytesPerSecond: number): number => bytes / 1e3 / megabytesPerSecond;

/** Secure to plain. Masking runs beside the upload and checking beside the download; neither includes training. */
export function secureToPlainApart(stage: Stage, megabytesPerSecond: number): number {
  const { n, bytes, siloMaskMs, siloFingerprintMs, siloVerifyMs } = stage;
  const up = through(n * bytes.upload, megabytesPerSecond);
  const down = through(n * bytes.sum, megabytesPerSecond);
  const secure =
    Math.max(siloMaskMs, up, stage.coordinatorAddMs) +
    siloFingerprintMs +
    stage.coordinatorUnmaskMs +
    Math.max(siloVerifyMs, down);
  const plain = 2 * through(n * bytes.float32, megabytesPerSecond);
  return secure / plain;
}
