// P5: released shares, and the secrets they give.

import { equalBytes, type Hash } from '../../base/index.js';
import { AgreementKey, combine, commitSelfSecret, SecretBytes, type Share } from '../../crypto/index.js';
import { Unmask, type Envelope, type IndexedShare, type OpenedShare } from '../../wire/index.js';
import { shareMatches } from '../dealing.js';
import { openedDealers } from '../evidence.js';
import { demand, demanded, demandOne, Refusal } from '../rejection.js';
import type { KeySet } from './advertised.js';
import { openMemberMessage, type RoundContext } from './context.js';
import type { DealerSet } from './dealers.js';
import type { SurvivorSet } from './survivors.js';

export interface Release {
  readonly index: number;
  readonly message: Unmask;
  readonly envelope: Envelope;
}

/** Whose self_b is opened (U3) and whose mask_sk (U2 \ U3): never both for one member. */
export function openingsOf(
  dealers: DealerSet,
  survivors: SurvivorSet,
): { readonly self: number[]; readonly key: number[] } {
  const all = [...dealers.members.keys()].sort((a, b) => a - b);
  return {
    self: all.filter((index) => survivors.members.has(index)),
    key: all.filter((index) => !survivors.members.has(index)),
  };
}

/** Of whose self_b and of whose mask_sk a silo releases its share: those of the above that it holds one of. */
export function releasedBy(
  holder: number,
  { graph }: KeySet,
  dealers: DealerSet,
  survivors: SurvivorSet,
): { readonly self: number[]; readonly key: number[] } {
  const { self, key } = openingsOf(dealers, survivors);
  const held = (indices: readonly number[]): number[] => indices.filter((dealer) => graph.holds(holder, dealer));
  return { self: held(self), key: held(key) };
}

/** True when every secret that is to be opened has enough shares. In the complete graph: when t silos have released. */
export function isEnough({ graph }: KeySet, dealers: DealerSet, holders: Iterable<number>): boolean {
  const released = [...holders];
  return [...dealers.members.keys()].every(
    (dealer) => released.filter((holder) => graph.holds(holder, dealer)).length >= graph.shareThreshold,
  );
}

/** A release with every share of it checked against its dealer's commitment. */
export function openRelease(
  context: RoundContext,
  keys: KeySet,
  dealers: DealerSet,
  survivors: SurvivorSet,
  envelope: Envelope,
): Release {
  const { message } = openMemberMessage(context, envelope, 'unmask', Unmask);
  const who = `member ${String(message.index)}`;
  demand(dealers.members.has(message.index), 'unmask/not-survivor', `${who} released shares and is not in U2.`);
  demand(equalBytes(message.t3, survivors.t3), 'unmask/wrong-transcript', `${who} released on another T3.`);
  const wanted = releasedBy(message.index, keys, dealers, survivors);
  const check = (kind: 'self' | 'key', shares: readonly IndexedShare[], expected: readonly number[]): void => {
    demandOne(
      shares.length === expected.length && shares.every((share, k) => share.dealer === expected[k]),
      'unmask/shares',
      `${who} did not release exactly one ${kind} share for each member it must.`,
      [envelope],
    );
    for (const { dealer, share } of shares) {
      const dealt = demanded(dealers.members.get(dealer), 'unmask/shares', 'a share of a stranger.');
      if (share.length === 32 && shareMatches(dealt.header, kind, keys.t1, message.index, share)) continue;
      throw new Refusal(
        'unmask/bad-share',
        `the ${kind} share of member ${String(dealer)} that ${who} released does not match its commitment.`,
        {
          evidence: [envelope, dealt.envelope, survivors.request],
          exhibits: { dealers: openedDealers(context, keys, dealers) },
        },
      );
    }
  };
  check('self', message.selfShares, wanted.self);
  check('key', message.keyShares, wanted.key);
  return { index: message.index, message, envelope };
}

export interface OpenedSecrets {
  /** self_b of U3, by index. */
  readonly self: ReadonlyMap<number, SecretBytes>;
  /** mask_sk of U2 \ U3, by index. */
  readonly key: ReadonlyMap<number, SecretBytes>;
}

/** Reconstructs every secret from as many shares as it needs, those of the lowest indices, and checks it against its commitment. */
export function reconstruct(
  keys: KeySet,
  dealers: DealerSet,
  survivors: SurvivorSet,
  releases: readonly Release[],
): OpenedSecrets {
  const { graph } = keys;
  const sharesOf = (dealer: number, kind: 'self' | 'key'): Share[] => {
    const holders = releases.filter(({ index }) => graph.holds(index, dealer));
    demand(
      holders.length >= graph.shareThreshold,
      'unmask/too-few',
      `${String(holders.length)} silos released shares of member ${String(dealer)}, ${String(graph.shareThreshold)} are needed.`,
    );
    return holders.slice(0, graph.shareThreshold).map(({ index, message }) => {
      const share = message[`${kind}Shares`].find((s) => s.dealer === dealer);
      return { index, bytes: demanded(share, 'unmask/shares', 'a share is missing.').share };
    });
  };
  const provenBy = (dealer: number, kind: 'self' | 'key', check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const shares = sharesOf(dealer, kind).map(
        ({ index, bytes }): OpenedShare => ({ dealer, recipient: index, ofKey: kind === 'key', share: bytes }),
      );
      throw new BadSecret(dealer, error.message, shares);
    }
  };
  const wanted = openingsOf(dealers, survivors);
  const self = new Map<number, SecretBytes>();
  for (const dealer of wanted.self) {
    const secret = combine(sharesOf(dealer, 'self'));
    provenBy(dealer, 'self', () => {
      demandSelfSecret(keys.t1, dealers, dealer, secret, 'unmask/bad-secret');
    });
    self.set(dealer, SecretBytes.of(secret));
  }
  const key = new Map<number, SecretBytes>();
  for (const dealer of wanted.key) {
    const secret = SecretBytes.of(combine(sharesOf(dealer, 'key')));
    provenBy(dealer, 'key', () => {
      demandMaskSecret(keys, dealer, secret, 'unmask/bad-secret');
    });
    key.set(dealer, secret);
  }
  return { self, key };
}

/** Released shares that all match their commitments and do not give the committed secret: proof against who dealt them. */
export class BadSecret extends Refusal {
  readonly dealer: number;
  /** The shares that show it, as many as give a secret back. */
  readonly shares: readonly OpenedShare[];

  constructor(dealer: number, message: string, shares: readonly OpenedShare[]) {
    super('unmask/bad-secret', message);
    this.dealer = dealer;
    this.shares = shares;
  }
}

/** An opened self_b matches the commitment in its owner's header. */
export function demandSelfSecret(
  t1: Hash,
  dealers: DealerSet,
  index: number,
  secret: Uint8Array,
  code: 'unmask/bad-secret' | 'result/commitment',
): void {
  const header = dealers.members.get(index)?.header;
  demand(
    secret.length === 32 &&
      header !== undefined &&
      equalBytes(commitSelfSecret(t1, index, secret), header.selfCommitment),
    code,
    `the opened self-mask secret of member ${String(index)} is not the one it committed to.`,
  );
}

/** An opened mask_sk gives the mask key its owner advertised. */
export function demandMaskSecret(
  keys: KeySet,
  index: number,
  secret: SecretBytes,
  code: 'unmask/bad-secret' | 'result/commitment',
): void {
  const advertised = keys.members.get(index);
  demand(
    secret.length === 32 &&
      advertised !== undefined &&
      equalBytes(AgreementKey.from(secret).publicKey, advertised.maskKey),
    code,
    `the opened mask key of member ${String(index)} is not the one it advertised.`,
  );
}
