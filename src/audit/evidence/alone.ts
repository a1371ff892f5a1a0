// Messages that convict whoever signed them by themselves: nobody honest signs such a thing, whatever came before.

import { hex, type SiloId } from '../../base/index.js';
import { isAgreementKey } from '../../crypto/index.js';
import {
  fromBitmap,
  isSortedUnique,
  leastOf,
  ridOf,
  thresholdFor,
  type Case,
  type Conviction,
} from '../../protocol/index.js';

export function convictedAlone(found: Case): Conviction[] {
  return [...plans(found), ...survivors(found), ...keys(found), ...releases(found)];
}

function plans(found: Case): Conviction[] {
  return found.of('plan').flatMap(({ signer, message: { n, cohort, threshold, round, jobId } }) => {
    const why =
      n !== cohort.length || !isSortedUnique(cohort as SiloId[])
        ? 'a cohort that is not sorted and unique'
        : threshold !== thresholdFor(n)
          ? `the threshold ${String(threshold)} for ${String(n)} silos`
          : undefined;
    if (why === undefined) return [];
    return [
      {
        accused: signer,
        charge: 'bad-plan',
        message: `${signer} planned round ${String(round)} of job "${jobId}" with ${why}.`,
      } as const,
    ];
  });
}

/** Fewer survivors than the plan that stands beside the request needs: its threshold, or n − a with a regular graph. */
function survivors(found: Case): Conviction[] {
  const needed = new Map(
    found.of('plan').map(({ payload, message }) => [hex(ridOf(payload)), leastOf(message.n, message.graph)]),
  );
  return found.of('survivors').flatMap(({ signer, message }) => {
    const least = needed.get(hex(message.rid));
    const count = fromBitmap(message.survivors, message.survivors.length * 8)?.length;
    if (least === undefined || count === undefined || count >= least) return [];
    return [
      {
        accused: signer,
        charge: 'too-few',
        message: `${signer} announced ${String(count)} survivors where ${String(least)} are needed.`,
      } as const,
    ];
  });
}

function keys(found: Case): Conviction[] {
  const low = found
    .of('advertise')
    .filter(({ message }) => !isAgreementKey(message.channelKey) || !isAgreementKey(message.maskKey))
    .map(
      ({ signer }): Conviction => ({
        accused: signer,
        charge: 'low-order',
        message: `${signer} advertised a key that is no X25519 key of high order.`,
      }),
    );
  const repeated = found.of('share-header').flatMap(({ signer, message: { entries } }): Conviction[] => {
    const ephemeral = entries.map(({ ephemeralKey }) => ephemeralKey);
    if (new Set(ephemeral.map(hex)).size === entries.length && ephemeral.every(isAgreementKey)) return [];
    return [
      {
        accused: signer,
        charge: 'repeated-key',
        message: `${signer} sealed shares under an ephemeral key that is used twice, or of low order.`,
      },
    ];
  });
  return [...low, ...repeated];
}

/** Both kinds of shares of one silo: with t of either, its input could be read out of the sum. */
function releases(found: Case): Conviction[] {
  return found.of('unmask').flatMap(({ signer, message: { selfShares, keyShares } }) => {
    const self = new Set(selfShares.map(({ dealer }) => dealer));
    const both = keyShares.find(({ dealer }) => self.has(dealer));
    if (both === undefined) return [];
    return [
      {
        accused: signer,
        charge: 'both-kinds',
        message: `${signer} released both kinds of shares of member ${String(both.dealer)}.`,
      } as const,
    ];
  });
}
