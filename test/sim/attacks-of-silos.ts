// What a silo tries that is not honest (docs/protocol.md §6): its machine runs as it should, and what leaves it is something else, signed with
// its own key. The others go on: every round that they can end has a result.

import { hash, LABELS } from '../../src/crypto/index.js';
import { seal, siloSigner } from '../../src/protocol/index.js';
import {
  AdvertiseKeys,
  Complaint,
  Consistency,
  decode,
  Exclude,
  MaskedHeader,
  ReleaseAnswer,
  Rollback,
  ShareHeader,
  SharesChecked,
  Unmask,
  type Directive,
  type Envelope,
} from '../../src/wire/index.js';
import { signOrder } from '../support/memory/orders.js';
import { bySilo } from '../support/memory/readings.js';
import { changes, COLLUDER, handsIn, VICTIM, type Attack, type Stage } from './attack.js';
import type { Operation } from './script.js';
import { inputOf } from './inputs.js';
import type { Simulation } from './simulation.js';

const ACCUSED = `silo/silo-00${COLLUDER}`;
const scripted: Operation = { kind: 'misdeed', silo: COLLUDER, misdeed: 'scripted', type: 'ack' };
const script = { operations: [scripted] };
const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, k) => (k === 0 ? byte ^ 1 : byte));

/** Beside its own message it signs another one of the same type for the same place. */
function signsTwice(
  type: 'advertise',
  change: (envelope: Envelope, stage: Stage) => Envelope,
): Attack['play'] & object {
  return (stage) => {
    changes(stage, type, ({ envelope }) => {
      stage.simulation.timeline.after(400, () => {
        handsIn(stage, change(envelope, stage));
      });
      return undefined;
    });
  };
}

/** A dealer that changes what it signs for the victim; its own machine is told of a complaint as if it were about what it had made. */
function deals(change: (header: ShareHeader, ciphertexts: Uint8Array[]) => void): Attack['play'] & object {
  return (stage) => {
    const { founded } = stage.simulation;
    let honest: Pick<Complaint, 'ciphertextHash' | 'headerHash'> | undefined;
    const dealer = changes(stage, 'share-header', ({ envelope, ciphertexts }, { id }) => {
      const own = decode(ShareHeader, 'header', envelope.payload);
      const entry = own.entries.find(({ recipient }) => recipient === VICTIM)!;
      honest = { ciphertextHash: entry.ciphertextHash, headerHash: hash(LABELS.shareHeader, envelope.payload) };
      const sent = [...ciphertexts];
      change(own, sent);
      return { envelope: bySilo(founded, id, envelope, ShareHeader, () => own), ciphertexts: sent };
    });
    dealer.overhear = (directive): Directive => {
      const { body } = directive;
      if (body?.$case !== 'complaint') return directive;
      const { id } = stage.simulation.silos[VICTIM]!;
      const complaint = bySilo(founded, id, body.value.complaint!, Complaint, () => honest!);
      return { ...directive, body: { $case: 'complaint', value: { ...body.value, complaint } } };
    };
  };
}

const entryOf = ({ entries }: ShareHeader): ShareHeader['entries'][number] =>
  entries.find(({ recipient }) => recipient === VICTIM)!;

function complainsFalsely(stage: Stage): void {
  const { founded, coordinator } = stage.simulation;
  changes(stage, 'shares-checked', ({ envelope }, { id, index }) => {
    const { t1 } = decode(SharesChecked, 'checked', envelope.payload);
    const [job] = coordinator.state.jobs.values();
    const { header, payload } = job!.open!.attempt.offeredShares.get(VICTIM)!;
    const { ciphertextHash } = header.entries.find(({ recipient }) => recipient === index)!;
    const about = { t1, index, dealer: VICTIM, ciphertextHash, headerHash: hash(LABELS.shareHeader, payload) };
    handsIn(stage, seal(founded.keyOf(id), siloSigner(id), 'complaint', Complaint, about));
    return undefined;
  });
}

function releases(change: (message: Unmask) => Partial<Unmask>): Attack['play'] & object {
  return (stage) => {
    changes(stage, 'unmask', ({ envelope }, { id }) => ({
      envelope: bySilo(stage.simulation.founded, id, envelope, Unmask, change),
    }));
  };
}

/** Its input is far too large: whatever sum it is in is rejected. */
function poisons({ simulation }: Stage): void {
  const own = inputOf(COLLUDER, 1)[0]!;
  simulation.rejects = ([first]) => Math.floor(first! / own) % 8 === 1;
}

function jobOf({ coordinator }: Simulation): { readonly jobId: string; readonly manifestHash: Uint8Array } {
  const [job] = coordinator.state.jobs.values();
  return { jobId: job!.manifest.jobId, manifestHash: job!.manifest.hash };
}

/** Looks every second until it holds, then acts. */
function once(simulation: Simulation, holds: () => boolean, act: () => void): void {
  simulation.timeline.after(1_000, () => {
    if (holds()) act();
    else once(simulation, holds, act);
  });
}

function statusOf({ coordinator }: Simulation): string {
  const [job] = coordinator.state.jobs.values();
  return job!.status;
}

/** Operators of `voters` vote to exclude the colluder once the job is paused, and the consortium's operator lets it go on. */
function excludes(voters: readonly number[]): (stage: Stage) => void {
  return (stage) => {
    const { simulation } = stage;
    const { founded, silos, coordinator } = simulation;
    poisons(stage);
    once(
      simulation,
      () => statusOf(simulation) === 'paused',
      () => {
        const about = jobOf(simulation);
        for (const voter of voters) {
          const { id } = silos[voter]!;
          const { manifestHash } = about;
          const message = { siloId: id, manifestHash, excluded: silos[COLLUDER]!.id, reason: 'all fail', atUnixMs: 1n };
          const vote = seal(founded.keyOf(id), siloSigner(id), 'exclude', Exclude, message);
          coordinator.submit(id, { envelope: vote, ciphertexts: [] });
        }
        const order = signOrder(founded, { $case: 'resumeJob', value: about });
        coordinator.feed({ $case: 'orderGiven', value: { order } });
      },
    );
  };
}

/** Between two rounds the operators vote that the job goes on from the model it began with. */
function rollsBack({ simulation }: Stage): void {
  const { founded, silos, coordinator } = simulation;
  const before = coordinator.feed.bind(coordinator);
  let voted = false;
  coordinator.feed = (event) => {
    const [job] = coordinator.state.jobs.values();
    if (!voted && event.$case === 'roundOpened' && job?.closed.length === 1) {
      voted = true;
      const { previousResultHash: afterHash, manifest } = job;
      const about = { manifestHash: manifest.hash, afterHash, baseRound: 0, baseModelHash: manifest.initialModelHash };
      for (const { id: siloId } of silos.slice(0, 4)) {
        const message = { siloId, ...about, reason: 'it was better', atUnixMs: 1n };
        const envelope = seal(founded.keyOf(siloId), siloSigner(siloId), 'rollback', Rollback, message);
        coordinator.submit(siloId, { envelope, ciphertexts: [] });
      }
    }
    return before(event);
  };
}

export const SILO_ATTACKS: readonly Attack[] = [
  {
    attack: 'signs two messages in one place',
    code: 'message/conflict',
    convicts: [`${ACCUSED} second-message`],
    rounds: 1,
    script,
    play: signsTwice('advertise', (envelope, { simulation }) =>
      bySilo(simulation.founded, simulation.silos[COLLUDER]!.id, envelope, AdvertiseKeys, ({ maskKey }) => ({
        channelKey: maskKey,
      })),
    ),
  },
  {
    attack: 'advertises a key of low order',
    code: 'keys/low-order',
    convicts: [`${ACCUSED} low-order`],
    rounds: 1,
    script,
    play: (stage) => {
      changes(stage, 'advertise', ({ envelope }, { id }) => ({
        envelope: bySilo(stage.simulation.founded, id, envelope, AdvertiseKeys, () => ({
          maskKey: new Uint8Array(32),
        })),
      }));
    },
  },
  {
    attack: 'speaks in the name of another silo',
    code: 'envelope/wrong-signer',
    rounds: 1,
    script,
    play: (stage) => {
      changes(stage, 'advertise', ({ envelope }) => ({ envelope: { ...envelope, signer: 'silo/silo-000' } }));
    },
  },
  {
    attack: 'repeats an ephemeral key in what it deals',
    code: 'share/repeated-key',
    convicts: [`${ACCUSED} repeated-key`],
    rounds: 1,
    script,
    play: deals((header) => {
      header.entries[1]!.ephemeralKey = header.entries[0]!.ephemeralKey;
    }),
  },
  {
    attack: 'deals a share that does not open',
    code: 'share/bad-ciphertext',
    convicts: [`${ACCUSED} bad-dealing`],
    rounds: 1,
    script,
    play: deals((header, ciphertexts) => {
      const at = header.entries.indexOf(entryOf(header));
      ciphertexts[at] = flipped(ciphertexts[at]!);
      entryOf(header).ciphertextHash = hash(LABELS.shareCiphertext, ciphertexts[at]);
    }),
  },
  {
    attack: 'deals one silo the share that was meant for another',
    code: 'share/bad-ciphertext',
    convicts: [`${ACCUSED} bad-dealing`],
    rounds: 1,
    script,
    play: deals((header, ciphertexts) => {
      const at = header.entries.indexOf(entryOf(header));
      ciphertexts[at] = ciphertexts[at + 1]!;
      entryOf(header).ciphertextHash = header.entries[at + 1]!.ciphertextHash;
    }),
  },
  {
    attack: 'complains falsely of a dealer',
    code: 'complaint/false',
    convicts: [`${ACCUSED} false-complaint`],
    rounds: 1,
    script,
    play: complainsFalsely,
  },
  {
    attack: 'deals shares that do not give the secret it has committed to',
    code: 'unmask/bad-secret',
    convicts: [`${ACCUSED} bad-secret`],
    // The first is burnt.
    rounds: 1,
    script: { ...script, rounds: 2 },
    play: deals((header) => {
      header.selfCommitment = hash(LABELS.commitSelfSecret, header.t1, Uint8Array.of(0, COLLUDER), new Uint8Array(32));
    }),
  },
  {
    attack: 'signs another root than that of the bytes it sent',
    code: 'mask/root-differs',
    rounds: 1,
    script,
    play: (stage) => {
      changes(stage, 'masked-header', ({ envelope }, { id }) => ({
        envelope: bySilo(stage.simulation.founded, id, envelope, MaskedHeader, ({ root }) => ({ root: flipped(root) })),
      }));
    },
  },
  {
    attack: 'invents its fingerprints',
    code: 'confirm/lying-fingerprint',
    convicts: [`${ACCUSED} lying-fingerprint`],
    rounds: 1,
    script,
    play: (stage) => {
      changes(stage, 'consistency', ({ envelope }, { id }) => ({
        envelope: bySilo(stage.simulation.founded, id, envelope, Consistency, ({ tau0 }) => ({ tau0: tau0 ^ 1n })),
      }));
    },
  },
  {
    attack: 'releases a share that is not the one it was dealt',
    code: 'unmask/bad-share',
    convicts: [`${ACCUSED} bad-share`],
    rounds: 1,
    script,
    play: releases(({ selfShares: [first, ...rest] }) => ({
      selfShares: [{ ...first!, share: flipped(first!.share) }, ...rest],
    })),
  },
  {
    attack: 'releases both kinds of shares of one silo',
    code: 'unmask/shares',
    convicts: [`${ACCUSED} both-kinds`],
    rounds: 1,
    script,
    play: releases(({ selfShares }) => ({ keyShares: selfShares.slice(0, 1) })),
  },
  {
    attack: 'claims a release that nobody has asked for',
    code: 'abort/invalid',
    rounds: 1,
    script,
    plant: { loses: (silo, type, ms) => silo < 2 && type === 'consistency' && ms < 15_000 },
    play: (stage) => {
      changes(stage, 'release-answer', ({ envelope }, { id }) => ({
        envelope: bySilo(stage.simulation.founded, id, envelope, ReleaseAnswer, ({ rid }) => ({
          unmask: seal(stage.simulation.founded.keyOf(id), siloSigner(id), 'unmask', Unmask, {
            t3: rid,
            index: COLLUDER,
            selfShares: [],
            keyShares: [],
          }),
        })),
      }));
    },
  },
  {
    attack: 'has every round rejected, and is excluded by the votes of t operators',
    code: 'vote/excluded',
    rounds: 4,
    script: { ...script, rounds: 4 },
    play: excludes([0, 1, 2, 3]),
  },
];

/** What the operators do together is no attack: it is what answers one. */
export const ROLLBACK: Attack = {
  attack: 'is rolled back by the votes of t operators',
  code: 'vote/rolled-back',
  rounds: 2,
  script: { rounds: 2 },
  play: rollsBack,
};
