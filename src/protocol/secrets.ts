// All secrets of an attempt derive from one stored 32-byte rho, so that a restarted silo resends identical bytes; each derivation has
// its own label (docs/protocol.md §2.3 P1, P2).

import { equalBytes, u16be, type Hash } from '../base/index.js';
import {
  AgreementKey,
  derive,
  Keystream,
  LABELS,
  SECRET_BYTES,
  type Label,
  type SecretBytes,
} from '../crypto/index.js';
import { attemptId } from './transcript.js';

export interface AttemptSecrets {
  readonly channel: AgreementKey;
  readonly mask: AgreementKey;
  /** The scalar behind `mask`, which is what is shared for recovery. */
  readonly maskSecret: SecretBytes<'mask-key'>;
  /** self_b, from which the self mask derives. */
  readonly selfSecret: SecretBytes<'self-mask-seed'>;
  /** The one-time key to one recipient. */
  ephemeral(recipient: number): AgreementKey;
  /** 32 (t − 1) bytes of polynomial coefficients, from a stream of its own for each of the two secrets. */
  coefficients(of: 'self' | 'key', threshold: number): Uint8Array;
}

/** One key object for each scalar: importing one costs more than using it, and each phase of an attempt needs them. They go when rho does. */
const known = new WeakMap<
  SecretBytes<'rho'>,
  { readonly rid: Hash; readonly attempt: number; readonly secrets: AttemptSecrets }
>();

export function attemptSecrets(rho: SecretBytes<'rho'>, rid: Hash, attempt: number): AttemptSecrets {
  const before = known.get(rho);
  if (before?.attempt === attempt && equalBytes(before.rid, rid)) return before.secrets;
  const secrets = derivedSecrets(rho, rid, attempt);
  known.set(rho, { rid, attempt, secrets });
  return secrets;
}

function derivedSecrets(rho: SecretBytes<'rho'>, rid: Hash, attempt: number): AttemptSecrets {
  const id = attemptId(rid, attempt);
  const from = <Name extends string>(label: Label, ...info: Uint8Array[]): SecretBytes<Name> =>
    rho.lend((ikm) => derive<Name>(ikm, id, label, info));
  const maskSecret = from<'mask-key'>(LABELS.deriveMask);
  return {
    channel: AgreementKey.from(from(LABELS.deriveChannel)),
    mask: AgreementKey.from(maskSecret),
    maskSecret,
    selfSecret: from<'self-mask-seed'>(LABELS.deriveSelf),
    ephemeral: (recipient) => AgreementKey.oneTime(ephemeralSecret(rho, rid, attempt, recipient)),
    coefficients: (of, threshold) => {
      using key = from(of === 'self' ? LABELS.deriveCoefficientsSelf : LABELS.deriveCoefficientsKey);
      return key.lend((k) => new Keystream(k).next(SECRET_BYTES * (threshold - 1)));
    },
  };
}

/** e_ij: the secret of the one-time key to one recipient, which an answer to a complaint reveals. */
export function ephemeralSecret(
  rho: SecretBytes<'rho'>,
  rid: Hash,
  attempt: number,
  recipient: number,
): SecretBytes<'ephemeral'> {
  return rho.lend((ikm) =>
    derive<'ephemeral'>(ikm, attemptId(rid, attempt), LABELS.deriveShareKey, [u16be(recipient)]),
  );
}
