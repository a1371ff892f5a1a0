// Shares: dealt, complained of and released. Everything hangs on T1 and T2 as the accused itself accepted them, so that nobody can be
// framed with keys or headers that it never saw.

import { asHash, equalBytes, hex, LIMITS, type Hash } from '../../base/index.js';
import {
  AgreementKey,
  combine,
  commitSelfSecret,
  hash,
  LABELS,
  SECRET_BYTES,
  SecretBytes,
} from '../../crypto/index.js';
import { fromBitmap } from '../bitmap.js';
import { openAsDealer, shareMatches } from '../dealing.js';
import { thresholdFor } from '../params.js';
import { shownTranscript1, shownTranscript2 } from '../transcript.js';
import type { ShareHeader } from '../../wire/index.js';
import { headerHash, requestOf, type Case, type Statement } from './case.js';
import type { Conviction } from './charge.js';

export function badShares(found: Case): Conviction[] {
  return [...dealings(found), ...released(found), ...secrets(found)];
}

/** Headers whose indices a cohort can have. */
function headersIn(found: Case): readonly Statement<ShareHeader>[] {
  return found
    .of('share-header')
    .filter(({ message: { index, entries } }) =>
      [index, ...entries.map(({ recipient }) => recipient)].every((one) => one < LIMITS.cohortMax),
    );
}

interface OpenedT1 {
  readonly t1: Hash;
  /** Payload that stands in T1 for this member, of those in evidence. */
  keysOf(index: number): Statement<{ readonly channelKey: Uint8Array; readonly maskKey: Uint8Array }> | undefined;
  readonly t: number;
}

/** What the record opens T1 to. */
function openedT1(found: Case): OpenedT1 | undefined {
  const { keys } = found.record;
  if (keys === undefined) return undefined;
  const { advertised } = keys;
  const t1 = shownTranscript1(keys);
  if (t1 === undefined) return undefined;
  return {
    t1,
    t: shareThreshold(found, keys.rid) ?? thresholdFor(advertised.length),
    keysOf: (index) =>
      found.of('advertise').find(({ payload, message }) => {
        const named = advertised[index];
        return message.index === index && named !== undefined && equalBytes(hash(LABELS.advertise, payload), named);
      }),
  };
}

/** Shares that give a secret where the plan that this T1 rests on has a regular graph; the dealer has checked its numbers. */
function shareThreshold(found: Case, rid: Uint8Array): number | undefined {
  const plan = found.of('plan').find(({ payload }) => equalBytes(hash(LABELS.plan, payload), rid));
  const threshold = plan?.message.graph?.shareThreshold ?? 0;
  // Nobody deals under a plan with none, whatever the coordinator signs.
  return threshold > 0 ? threshold : undefined;
}

/** A complaint was answered: the one ciphertext is opened with the ephemeral key, and either is proven wrong. */
function dealings(found: Case): Conviction[] {
  const t1 = openedT1(found);
  if (t1 === undefined) return [];
  return found.of('answer').flatMap(({ signer, message: answer }): Conviction[] => {
    const header = headersIn(found).find(
      (one) => one.signer === signer && equalBytes(one.message.t1, t1.t1) && one.message.index === answer.index,
    );
    const entry = header?.message.entries.find((one) => one.recipient === answer.recipient);
    const recipient = t1.keysOf(answer.recipient);
    const ciphertext = found.record.ciphertexts.find(
      (one) => entry !== undefined && equalBytes(hash(LABELS.shareCiphertext, one), entry.ciphertextHash),
    );
    if (header === undefined || entry === undefined || recipient === undefined || ciphertext === undefined) return [];
    if (answer.ephemeralSecret.length !== 32 || !equalBytes(answer.t1, t1.t1)) return [];
    using secret = SecretBytes.of(answer.ephemeralSecret.slice());
    const ephemeral = AgreementKey.from(secret);
    if (!equalBytes(ephemeral.publicKey, entry.ephemeralKey)) return [];
    const held = openAsDealer(
      ephemeral,
      recipient.message.channelKey,
      header.message,
      answer.recipient,
      ciphertext,
      t1.t1,
    );
    const about = `the shares that ${signer} sealed for ${recipient.signer}`;
    if (held === undefined)
      return [{ accused: signer, charge: 'bad-dealing', message: `${about} do not open to what was committed to.` }];
    // Only a complaint about this very header: a dealer that signs two would otherwise have an honest complainant convicted.
    return found
      .of('complaint')
      .filter(
        ({ signer: complainant, message }) =>
          complainant === recipient.signer &&
          equalBytes(message.t1, t1.t1) &&
          message.dealer === answer.index &&
          equalBytes(message.ciphertextHash, entry.ciphertextHash) &&
          equalBytes(message.headerHash, headerHash(header.payload)),
      )
      .map((one) => ({
        accused: one.signer,
        charge: 'false-complaint',
        message: `${one.signer} complained of shares of ${signer} that are good.`,
      }));
  });
}

/** A released share against the commitment in the header that stands in the T2 under which it was released. */
function released(found: Case): Conviction[] {
  const { dealers } = found.record;
  const dealtOn = asHash(dealers?.t1 ?? new Uint8Array());
  const members = dealers === undefined ? undefined : fromBitmap(dealers.members, dealers.members.length * 8);
  if (dealers === undefined || dealtOn === undefined || members === undefined) return [];
  const t2 = shownTranscript2(dealers);
  if (t2 === undefined) return [];
  const headers = headersIn(found).flatMap(({ payload, message }): [number, ShareHeader][] => {
    const place = dealers.headers.findIndex((one) => equalBytes(one, headerHash(payload)));
    const index = members[place];
    return index === undefined || index !== message.index || !equalBytes(message.t1, dealers.t1)
      ? []
      : [[index, message]];
  });
  return found.of('unmask').flatMap(({ signer, message }): Conviction[] => {
    const request = requestOf(found, message.t3);
    if (request === undefined || !equalBytes(request.message.t2, t2)) return [];
    const bad = (['self', 'key'] as const).find((kind) =>
      message[`${kind}Shares`].some(({ dealer, share }) =>
        headers.some(
          ([index, header]) => index === dealer && !shareMatches(header, kind, dealtOn, message.index, share),
        ),
      ),
    );
    if (bad === undefined) return [];
    return [
      {
        accused: signer,
        charge: 'bad-share',
        message: `${signer} released a share that does not match the commitment under which it had accepted it.`,
      },
    ];
  });
}

/** Threshold many shares that match a dealer's commitments and do not give its secret. */
function secrets(found: Case): Conviction[] {
  const t1 = openedT1(found);
  if (t1 === undefined) return [];
  return headersIn(found).flatMap(({ signer, message: header }): Conviction[] => {
    if (!equalBytes(header.t1, t1.t1)) return [];
    const keys = t1.keysOf(header.index);
    return (['self', 'key'] as const).flatMap((kind): Conviction[] => {
      const matching = new Map(
        found.record.shares
          .filter(({ dealer, ofKey }) => dealer === header.index && ofKey === (kind === 'key'))
          .filter(
            ({ recipient, share }) =>
              share.length === SECRET_BYTES && shareMatches(header, kind, t1.t1, recipient, share),
          )
          .map(({ recipient, share }) => [recipient, { index: recipient, bytes: share }]),
      );
      if (matching.size < t1.t) return [];
      const secret = combine([...matching.values()].slice(0, t1.t));
      if (kind === 'key' && (keys === undefined || keys.signer !== signer)) return [];
      const good =
        kind === 'self'
          ? equalBytes(commitSelfSecret(t1.t1, header.index, secret), header.selfCommitment)
          : equalBytes(publicKeyOf(secret), keys?.message.maskKey ?? new Uint8Array());
      if (good) return [];
      return [
        {
          accused: signer,
          charge: 'bad-secret',
          message: `${String(t1.t)} shares match what ${signer} committed to, and do not give its ${kind === 'self' ? 'self mask' : 'mask key'} (T1 ${hex(t1.t1).slice(0, 16)}…).`,
        },
      ];
    });
  });
}

function publicKeyOf(secret: Uint8Array): Uint8Array {
  using bytes = SecretBytes.of(secret);
  return AgreementKey.from(bytes).publicKey;
}
