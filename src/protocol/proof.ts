// Who is proven, before everybody, to have dealt wrong shares or to have complained falsely (docs/protocol.md §2.9). The coordinator shows the
// proofs with the start of each attempt, and a silo judges them itself: it takes nobody's word that another silo is out.

import { LIMITS, type SiloId, type UnixMs } from '../base/index.js';
import { decode, EvidenceRecord } from '../wire/index.js';
import { evidenceOf } from './evidence.js';
import type { Exhibits } from './exhibits.js';
import { openCase } from './judge/case.js';
import type { Charge } from './judge/charge.js';
import { badShares } from './judge/shares.js';
import type { Manifest } from './manifest.js';
import { demand, type Rejection } from './rejection.js';
import { siloSigner } from './roster.js';

/** Messages that a record has at most: two or three make a case, and a protest or a plan may stand beside them. */
const ENVELOPES_MAX = 8;
/**
 * What puts a silo out of a job. None of them is signed by an honest silo, whatever its disk has forgotten; two messages in one place are,
 * by one whose disk was set back, so they prove nothing that others should lose their protection by.
 */
const PUT_OUT: ReadonlySet<Charge> = new Set<Charge>(['bad-dealing', 'false-complaint', 'bad-secret']);

interface Proven {
  readonly code: string;
  readonly evidence: Rejection['evidence'];
  readonly exhibits?: Exhibits | undefined;
}

/** Codes under which the coordinator bars for what such a record shows. */
const SHOWN: ReadonlySet<string> = new Set(['share/bad-ciphertext', 'complaint/false', 'unmask/bad-secret']);

/** What a start directive carries: the newest ones, as many as fit. */
export function proofsOf(barred: Iterable<Proven>): Uint8Array[] {
  const shown = [...barred].filter(({ code }) => SHOWN.has(code)).slice(-LIMITS.proofsPerStart);
  // The time is not part of what is proven, and must not change a directive that is shown again.
  const at = 0 as UnixMs;
  return shown.flatMap((one) => evidenceOf({ ...one, exhibits: one.exhibits, detail: '' }, at) ?? []);
}

/** Silos of the job that these records convict, under the roster that it was made under. Throws Refusal `plan/no-proof` for one that convicts nobody of them. */
export function openProofs(manifest: Manifest, proofs: readonly Uint8Array[]): Set<SiloId> {
  demand(
    proofs.length <= LIMITS.proofsPerStart,
    'plan/no-proof',
    `${String(proofs.length)} proofs came with a start, ${String(LIMITS.proofsPerStart)} may.`,
  );
  return new Set(proofs.flatMap((bytes) => openProof(manifest, bytes)));
}

function openProof({ roster, silos, jobId }: Manifest, bytes: Uint8Array): SiloId[] {
  const record = decode(EvidenceRecord, 'evidence', bytes, LIMITS.manifestBytes);
  const { keys, shares, ciphertexts } = record;
  const lists = [keys?.advertised ?? [], shares, ciphertexts];
  const small = record.envelopes.length <= ENVELOPES_MAX && lists.every((one) => one.length <= LIMITS.cohortMax);
  demand(record.version === 1 && small, 'plan/no-proof', 'a proof is of another version, or larger than any can be.');
  const convictions = badShares(openCase(roster, record)).filter(({ charge }) => PUT_OUT.has(charge));
  const accused = silos.filter((silo) => convictions.some((one) => one.accused === siloSigner(silo)));
  demand(
    accused.length > 0,
    'plan/no-proof',
    `what was shown convicts no silo of job "${jobId}" of wrong shares or a false complaint.`,
  );
  return accused;
}
