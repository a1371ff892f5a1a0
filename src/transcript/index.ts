// transcript: the transparency log as pure functions. RFC 6962 tree with its proofs, C2SP checkpoints and cosignatures, the entries,
// and the layout of tiles. Knows no disk, no clock and no round; docs/protocol.md §4 has the formats.

export * from './entry/entry.js';
export { ENTRY_KINDS, type BodyForm, type EntryKindName } from './entry/kind.js';
export * from './errors.js';
export * from './merkle/hash.js';
export * from './merkle/proof.js';
export * from './merkle/range.js';
export * from './merkle/verify.js';
export * from './note/checkpoint.js';
export * from './note/cosignature.js';
export * from './note/key.js';
export * from './note/note.js';
export * from './note/quorum.js';
export * from './tiles/content.js';
export * from './tiles/layout.js';
export * from './tiles/reader.js';
