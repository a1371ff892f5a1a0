// enrolment: how a member gets its certificates from the authority's service, the first with a token, every other with the one before;
// each time with a signature of the protocol key that the roster names. The service itself is in certs/.

export { askTime, enrol, renew, type Certified } from './client.js';
export type { Endpoint } from './endpoint.js';
export * from './errors.js';
export { keepRenewed, type KeepRenewedOptions } from './keep-renewed.js';
export { refusalBody, refusalFrom } from './refusal.js';
export { checkProof, signerOf, type Proof } from './proof.js';
export { formatToken, parseToken, tokenHash, type Token } from './token.js';
export { pinAuthority } from './pin.js';
