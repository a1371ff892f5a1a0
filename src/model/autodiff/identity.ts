// Identity: the gradient passes. Identities of initialisers never come here: reading resolves them as shared weights.

import { unary } from './unary.js';

export const identity = unary('Identity', (_tape, { dy }) => dy);
