// audit: the offline verifier. From the bytes of a bundle and the roster's pinned hash to a verdict, with the checks that silos make and
// an implementation of Ed25519 that they do not use. Knows no coordinator, no silo and no network; docs/audit.md lists what it checks.

export * from './bundle/contents.js';
export * from './bundle/reader.js';
export * from './bundle/writer.js';
export * from './errors.js';
export { evidenceFile, judgeEvidenceFile, type EvidenceContents } from './evidence/file.js';
export type { InputByRoot } from './evidence/fingerprint.js';
export { judgeEvidence, type Judgement } from './evidence/judge.js';
export { AUDIT_LIMITS } from './limits.js';
export { PART } from './parts.js';
export { framed, frameOf } from './frames.js';
export * from './verdict.js';
export { verifyBundle, type Verified, type VerifyOptions } from './verify.js';
export { openKeptCheckpoint, type KeptCheckpoint } from './log/checkpoint.js';
