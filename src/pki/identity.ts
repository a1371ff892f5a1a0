// Who a certificate speaks for. One URI per certificate, in the form of SPIFFE; one spelling per identity (docs/protocol.md §5).

import type { Result } from '../base/index.js';
import { err, isName, ok } from '../base/index.js';
import { PkiError } from './errors.js';

export const ROLES = ['silo', 'coordinator', 'operator', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

export interface Identity {
  readonly role: Role;
  /** Unique among its role; the coordinator, of which there is one, is called `coordinator`. */
  readonly id: string;
}

export const COORDINATOR: Identity = { role: 'coordinator', id: 'coordinator' };

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

/** `spiffe://<consortium>/silo/<id>`, or `spiffe://<consortium>/coordinator`. Throws pki/bad-name. */
export function identityUri(consortium: string, identity: Identity): string {
  requireName('consortium', consortium);
  if (identity.role !== 'coordinator') {
    requireName(identity.role, identity.id);
    return `spiffe://${consortium}/${identity.role}/${identity.id}`;
  }
  if (identity.id !== COORDINATOR.id)
    throw new PkiError('pki/bad-name', `the coordinator's id is "${COORDINATOR.id}", not "${identity.id}"`);
  return `spiffe://${consortium}/coordinator`;
}

/** The identity that `uri` spells, or why it spells none. Nothing is decoded, folded or trimmed. */
export function parseIdentityUri(uri: string, consortium: string): Result<Identity, PkiError> {
  const shown = JSON.stringify(uri.slice(0, 200));
  const match = /^spiffe:\/\/([^/]*)\/(.*)$/s.exec(uri);
  const [, host, path] = match ?? [];
  if (host === undefined || path === undefined)
    return err(new PkiError('pki/not-spiffe', `${shown} is not a SPIFFE URI`));
  if (host !== consortium)
    return err(new PkiError('pki/other-consortium', `${shown} is not of the consortium ${consortium}`));
  if (path === 'coordinator') return ok(COORDINATOR);
  const [role, id, ...rest] = path.split('/');
  if (
    role === undefined ||
    id === undefined ||
    rest.length > 0 ||
    !isRole(role) ||
    role === 'coordinator' ||
    !isName(id)
  )
    return err(new PkiError('pki/not-spiffe', `${shown} names no silo, coordinator, operator or auditor`));
  return ok({ role, id });
}

export function requireName(what: string, name: string): void {
  if (!isName(name))
    throw new PkiError('pki/bad-name', `the ${what} name ${JSON.stringify(name)} is not a lower-case label`, {
      remedy: 'Use lower-case letters, digits and inner hyphens, at most 63 characters.',
    });
}
