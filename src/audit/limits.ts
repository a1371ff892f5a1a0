// What a bundle may make its reader spend. Whoever made it may have meant harm.

const MiB = 1024 * 1024;

export const AUDIT_LIMITS = {
  /** Signed messages in one record of evidence: a contradiction needs two to six. */
  evidenceEnvelopes: 64,
  /** Masked inputs in one file of evidence. */
  evidenceInputs: 200,
  /** Coordinates of a masked input in evidence: the largest layout there is. */
  coordinates: 100_000_000,
  /** Parts of a bundle: a hundred thousand rounds have less than that many each with four. */
  parts: 1_000_000,
  /** Bytes of the contents. */
  contentsBytes: 256 * MiB,
  /** Characters of a part's name. */
  nameLength: 200,
  /** Bytes of a transcript: 200 share headers have 5 MiB. */
  transcriptBytes: 64 * MiB,
  /** Bytes of the Acks and Disputes of a round. */
  reactionsBytes: 64 * MiB,
  /** Minutes by which honest clocks of hospitals may differ, in milliseconds. */
  clockToleranceMs: 5 * 60_000,
  /** Findings of a verdict: more of them say nothing new. */
  findings: 200,
} as const;
