// P5: released shares, and the secrets they give.

import { equalBytes, type Hash } from '../../base/index.js';
import { AgreementKey, combine, commitSelfSecret, SecretBytes, type Share } from '../../crypto/index.js';
import { Unmask, type Envelope, type IndexedShare } from '../../wire/index.js';
import { shareMatches } from '../dealing.js';
import { demand, demanded, Refusal } from '../rejection.js';
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
  const wanted = openingsOf(dealers, survivors);
  const check = (kind: 'self' | 'key', shares: readonly IndexedShare[], expected: readonly number[]): void => {
    demand(
      shares.length === expected.length && shares.every((share, k) => share.dealer === expected[k]),
      'unmask/shares',
      `${who} did not release exactly one ${kind} share for each member it must.`,
    );
    for (const { dealer, share } of shares) {
      const header = demanded(dealers.members.get(dealer), 'unmask/shares', 'a share of a stranger.').header;
      demand(
        share.length === 32 && shareMatches(header, kind, keys.t1, message.index, share),
        'unmask/bad-share',
        `the ${kind} share of member ${String(dealer)} that ${who} released does not match its commitment.`,
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

/** Reconstructs every secret from t releases and checks it against its commitment. */
export function reconstruct(
  context: RoundContext,
  keys: KeySet,
  dealers: DealerSet,
  survivors: SurvivorSet,
  releases: readonly Release[],
): OpenedSecrets {
  const { t } = context.plan;
  demand(
    releases.length >= t,
    'unmask/too-few',
    `${String(releases.length)} silos released shares, ${String(t)} are needed.`,
  );
  const chosen = releases.slice(0, t);
  const secretOf = (dealer: number, of: (release: Release) => readonly IndexedShare[]): Uint8Array =>
    combine(
      chosen.map((release): Share => {
        const share = of(release).find((s) => s.dealer === dealer);
        return { index: release.index, bytes: demanded(share, 'unmask/shares', 'a share is missing.').share };
      }),
    );
  const wanted = openingsOf(dealers, survivors);
  const self = new Map<number, SecretBytes>();
  for (const dealer of wanted.self) {
    const secret = secretOf(dealer, (release) => release.message.selfShares);
    provenBy(dealer, () => {
      demandSelfSecret(keys.t1, dealers, dealer, secret, 'unmask/bad-secret');
    });
    self.set(dealer, SecretBytes.of(secret));
  }
  const key = new Map<number, SecretBytes>();
  for (const dealer of wanted.key) {
    const secret = SecretBytes.of(secretOf(dealer, (release) => release.message.keyShares));
    provenBy(dealer, () => {
      demandMaskSecret(keys, dealer, secret, 'unmask/bad-secret');
    });
    key.set(dealer, secret);
  }
  return { self, key };
}

/** Released shares that all match their commitments and do not give the committed secret: proof against who dealt them. */
export class BadSecret extends Refusal {
  readonly dealer: number;

  constructor(dealer: number, message: string) {
    super('unmask/bad-secret', message);
    this.dealer = dealer;
  }
}

function provenBy(dealer: number, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof Refusal ? new BadSecret(dealer, error.message) : error;
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
