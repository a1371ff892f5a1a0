// What a bundle may make its reader spend. Whoever made it may have meant harm.

const MiB = 1024 * 1024;

export const AUDIT_LIMITS = {
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
