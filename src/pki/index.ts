// pki: who is at the other end of a connection. The consortium's authority, members' certificates and requests, what a peer's certificate
// says, revocation, bundle files, and the files of the Ed25519 keys that the protocol itself rests on.

export * from './authorities-file.js';
export * from './authority.js';
export * from './bundle.js';
export * from './errors.js';
export * from './expiry.js';
export * from './identity.js';
export * from './inspect.js';
export * from './issue.js';
export * from './peer.js';
export * from './request.js';
export * from './revocation.js';
export * from './signing-key.js';
export { keepFresh, type RefreshedFile, type RenewalOptions } from './renewal.js';
export { readTlsFiles, TlsFiles, type TlsPaths, type TlsTexts } from './tls-files.js';
