// The key with which an operator signs jobs and orders.

import { equalBytes } from '../src/base/index.js';
import { SigningKey } from '../src/crypto/index.js';
import { readSigningKey } from '../src/pki/index.js';
import { AuditError } from './errors.js';
import type { Session } from './session.js';

/** The key that the roster names for the operator of the certificate. Throws AuditError `audit/not-operator`, `audit/no-signing-key`, `audit/wrong-key`. */
export async function readOperatorKey({ officer: { role, id }, config, roster }: Session): Promise<SigningKey> {
  if (role !== 'operator')
    throw new AuditError('audit/not-operator', `expected an operator's certificate, it names the auditor "${id}".`);
  if (config.keys === undefined)
    throw new AuditError(
      'audit/no-signing-key',
      'what an operator does is signed by the operator, and the configuration names no key.',
    );
  const { publicKey, seed } = await readSigningKey(config.keys.signing);
  const signingKey = SigningKey.from(seed);
  seed.wipe();
  const known = roster.keyOf(`operator/${id}`);
  if (known === undefined || !equalBytes(known, publicKey))
    throw new AuditError(
      'audit/wrong-key',
      known === undefined
        ? `the pinned roster has no operator "${id}".`
        : `the key in ${config.keys.signing} is not the one that the roster names for operator "${id}".`,
    );
  return signingKey;
}
