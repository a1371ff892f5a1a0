// What test/vectors holds, computed anew: bytes that other implementations can be checked against.

import { hex, utf8, type Hash } from '../../src/base/index.js';
import {
  commitSelfSecret,
  commitShare,
  derivePublic,
  hash,
  Keystream,
  LABELS,
  SecretBytes,
  SIGNED_TYPES,
  SigningKey,
  split,
} from '../../src/crypto/index.js';
import { attemptSecrets } from '../../src/protocol/secrets.js';
import { attemptId, transcript1, transcript2, transcript3 } from '../../src/protocol/transcript.js';
import { InputRoot, sumHasher, weightStreams } from '../../src/protocol/index.js';
import { Fingerprint, pack } from '../../src/vector/index.js';
import { seedFrom } from './memory/founding.js';

/** Every vector by file and name; values in hexadecimal unless they are numbers in decimal. */
export function ownVectors(): Record<string, Record<string, string>> {
  const seed = (name: string): Hash => seedFrom(name) as Hash;
  const [rid, t1, t2, t3] = [seed('rid'), seed('t1'), seed('t2'), seed('t3')];
  const secrets = attemptSecrets(SecretBytes.of<'rho'>(seed('rho')), rid, 2);
  const key = SigningKey.from(SecretBytes.of(seed('signing')));
  const messages = new Map([
    [0, utf8('zero')],
    [3, utf8('three')],
  ]);
  const values = Array.from({ length: 20 }, (_, k) => (k * 0x0123_4567) % 2 ** 29);
  const print = new Fingerprint();
  print.update(values, weightStreams(t3)[0]!.next(20));
  const shares = split(seed('secret'), 5, 4, secrets.coefficients('self', 4));
  return {
    hashes: Object.fromEntries(Object.entries(LABELS).map(([name, label]) => [name, hex(hash(label, utf8('vector')))])),
    signatures: {
      key: hex(key.publicKey),
      ...Object.fromEntries(SIGNED_TYPES.map((type) => [type, hex(key.sign(type, utf8('vector')))])),
    },
    derivations: {
      attemptId: hex(attemptId(rid, 2)),
      channelKey: hex(secrets.channel.publicKey),
      maskKey: hex(secrets.mask.publicKey),
      maskSecret: hex(secrets.maskSecret.reveal()),
      selfSecret: hex(secrets.selfSecret.reveal()),
      ephemeralKey7: hex(secrets.ephemeral(7).publicKey),
      coefficientsSelf: hex(secrets.coefficients('self', 3)),
      coefficientsKey: hex(secrets.coefficients('key', 3)),
      fingerprintKey: hex(derivePublic(t1, t2, LABELS.fingerprintWeights, [Uint8Array.of(0)])),
      keystreamBlock3: hex(new Keystream(seed('stream'), 3).next(32)),
    },
    shares: {
      ...Object.fromEntries(shares.map((share, i) => [`share${String(i)}`, hex(share)])),
      selfShareCommitment: hex(commitShare('self', t1, 1, 2, shares[2]!)),
      keyShareCommitment: hex(commitShare('key', t1, 1, 2, shares[2]!)),
      selfCommitment: hex(commitSelfSecret(t1, 1, seed('secret'))),
    },
    transcripts: {
      t1: hex(transcript1(rid, 2, seed('attempt'), 5, messages)),
      t2: hex(transcript2(t1, 5, messages)),
      t3: hex(transcript3(t2, 5, messages, seed('sum'))),
      inputRoot: hex(new InputRoot().update(new Uint8Array(2 ** 20 + 5).fill(7)).digest()),
      sumHash: hex(sumHasher('sum').update(utf8('vector')).digest()),
      openedHash: hex(sumHasher('opened').update(utf8('vector')).digest()),
    },
    vectors: {
      packed29: hex(pack(values, 29)),
      fingerprint: String(print.digest()),
      weights: hex(weightStreams(t3)[1]!.next(4)),
    },
  };
}
