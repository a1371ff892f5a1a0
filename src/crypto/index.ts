// crypto: labels, hashes, key agreement, secret sharing, keystreams and signatures, each in one small file over node:crypto and noble.
// Knows nothing of rounds or silos.

export * from './aead.js';
export * from './agreement.js';
export * from './commitment.js';
export * from './equal.js';
export * from './hash.js';
export * from './kdf.js';
export * from './keystream.js';
export * from './labels.js';
export * from './secret.js';
export * from './shamir.js';
export * from './signature.js';
