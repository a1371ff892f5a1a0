// base: bytes, ids, results, errors and limits that every other room builds on. Imports nothing.

export * from './bytes.js';
export * from './error.js';
export * from './frame.js';
export * from './ids.js';
export * from './instant.js';
export * from './invariant.js';
export * from './limits.js';
export * from './little-endian.js';
export * from './ports.js';
export { printable } from './printable.js';
export * from './result.js';
