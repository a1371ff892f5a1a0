// Notes, checkpoints and cosignatures against vectors of other implementations, and everything that a strict parser refuses.

import { describe, expect, it } from 'vitest';
import { asHash, concat, hex, LIMITS, u64be, utf8 } from '../../../src/base/index.js';
import {
  SecretBytes,
  SigningKey,
  verifyNoteSignature,
  verifyNoteSignatureIndependently,
  verifySignature,
} from '../../../src/crypto/index.js';
import {
  addSignature,
  cosign,
  cosignedAt,
  cosignedBy,
  formatCheckpoint,
  formatNote,
  keyId,
  logName,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  signCheckpoint,
  verifierKey,
  witnessName,
  witnessQuorum,
  type NoteKey,
} from '../../../src/transcript/index.js';
import { fromBase64, toBase64 } from '../../../src/transcript/note/base64.js';

const refusal = (code: string): Error => expect.objectContaining({ code }) as Error;
/** `name+id+base64(type || key)`. */
function known(text: string): NoteKey & { readonly text: string } {
  const [name = '', , ...encoded] = text.split('+');
  return { name, key: fromBase64(encoded.join('+'))!.slice(1), text };
}
const signingKey = (fill: number): SigningKey => SigningKey.from(SecretBytes.of(new Uint8Array(32).fill(fill)));

// From the documentation of golang.org/x/mod/sumdb/note.
const GO_SEED = fromBase64('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz')!.slice(1);
const GO_KEY = known('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
const GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const GO_NOTE = `${GO_TEXT}\n${GO_LINE}`;

// The worked examples of two C2SP specifications: c2sp.org/signed-note, "Example", with its verifier key; and c2sp.org/tlog-cosignature,
// whose keys are not published, so that only its form can be read.
const SPEC_KEY = known('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
const SPEC_NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
const SPEC_COSIGNED = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

// A checkpoint that a public Certificate Transparency log issued, as public witnesses cosigned it.
const PUBLIC_CHECKPOINT = `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`;
const PUBLIC_LOG = known(
  'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f',
);
const PUBLIC_WITNESSES = [
  'transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM',
  'witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO',
  'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
  'witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv',
].map(known);

const LOG_KEY = signingKey(1);
const LOG: NoteKey = { name: logName('heartland'), key: LOG_KEY.publicKey };
const CHECKPOINT = { origin: LOG.name, size: 20852163, root: asHash(new Uint8Array(32).fill(7))! };
const SILOS = ['a', 'b', 'c'].map((id, k) => {
  const signing = signingKey(10 + k);
  return { name: witnessName('heartland', id), key: signing.publicKey, signing };
});
const AT = 1_679_315_147;

describe('vectors of other implementations', () => {
  it('of a note: key id, verifier key, signature and bytes are the same', () => {
    const key = SigningKey.from(SecretBytes.of(GO_SEED));
    expect(verifierKey('ed25519', { name: 'PeterNeumann', key: key.publicKey })).toBe(GO_KEY.text);
    const signature = key.signNote(utf8(GO_TEXT));
    const note = { text: GO_TEXT, signatures: [{ name: 'PeterNeumann', keyId: keyId('ed25519', GO_KEY), signature }] };
    expect(new TextDecoder().decode(formatNote(note))).toBe(GO_NOTE);
    expect(parseNote(utf8(GO_NOTE))).toStrictEqual(note);
  });

  it('of the specifications: a note verifies, a cosigned checkpoint is read to its time and comes back as it was', () => {
    expect(verifierKey('ed25519', SPEC_KEY)).toBe(SPEC_KEY.text);
    const { text, signatures } = parseNote(utf8(SPEC_NOTE));
    expect(signatures.map((one) => hex(one.keyId))).toStrictEqual(['530d903a']);
    for (const verify of [verifyNoteSignature, verifyNoteSignatureIndependently])
      expect(verify(SPEC_KEY.key, utf8(text), signatures[0]!.signature)).toBe(true);
    const cosigned = parseNote(utf8(SPEC_COSIGNED));
    const { origin, size } = parseCheckpoint(cosigned.text);
    expect([origin, size]).toStrictEqual(['example.com/behind-the-sofa', 20852163]);
    expect(cosigned.signatures.map(({ signature }) => signature.length)).toStrictEqual([64, 72]);
    expect(cosigned.signatures[1]!.signature.slice(0, 8)).toStrictEqual(u64be(1_679_315_147));
    expect(new TextDecoder().decode(formatNote(cosigned))).toBe(SPEC_COSIGNED);
  });

  it('of a public log’s checkpoint: log and four witnesses verify with both implementations', () => {
    expect(verifierKey('ed25519', PUBLIC_LOG)).toBe(PUBLIC_LOG.text);
    for (const witness of PUBLIC_WITNESSES) expect(verifierKey('cosignature', witness)).toBe(witness.text);
    for (const verify of [verifyNoteSignature, verifyNoteSignatureIndependently]) {
      const { checkpoint, note } = openCheckpoint(utf8(PUBLIC_CHECKPOINT), PUBLIC_LOG, verify);
      expect(checkpoint.size).toBe(1432088532);
      expect(cosignedBy(note, PUBLIC_WITNESSES, verify)).toStrictEqual(
        PUBLIC_WITNESSES.map(({ name }) => ({ name, atSeconds: 0x6a122120 })),
      );
    }
  });

  it('of the same checkpoint with another size: nobody has signed it', () => {
    const changed = utf8(PUBLIC_CHECKPOINT.replace('\n1432088532\n', '\n1432088533\n'));
    expect(() => openCheckpoint(changed, PUBLIC_LOG)).toThrow(refusal('transcript/unsigned-checkpoint'));
    expect(cosignedBy(parseNote(changed), PUBLIC_WITNESSES)).toStrictEqual([]);
  });
});

describe('a note', () => {
  it('comes back as the bytes it was, whatever the text holds', () => {
    for (const text of ['\n', 'a\n\nb\n', '— looks like a signature\n', 'ünïcode\n']) {
      const note = { text, signatures: [{ name: 'k', keyId: Uint8Array.of(1, 2, 3, 4), signature: Uint8Array.of(5) }] };
      expect(parseNote(formatNote(note))).toStrictEqual(note);
    }
    expect(hex(formatNote(parseNote(utf8(PUBLIC_CHECKPOINT))))).toBe(hex(utf8(PUBLIC_CHECKPOINT)));
  });

  const BAD: Record<string, string | Uint8Array> = {
    'no signatures': GO_TEXT,
    'an empty line and nothing after it': `${GO_TEXT}\n`,
    'a last line without its end': GO_NOTE.slice(0, -1),
    'a line that is no signature': `${GO_NOTE}Unexpected line.\n`,
    'a hyphen for the dash': GO_NOTE.replace('— ', '- '),
    'a name with a space': GO_NOTE.replace('— PeterNeumann', '— Peter Neumann'),
    'a name with a Unicode space': GO_NOTE.replace('— PeterNeumann', '— Peter\u2003Neumann'),
    'a name with a plus': GO_NOTE.replace('— PeterNeumann', '— Peter+Neumann'),
    'no name': GO_NOTE.replace('— PeterNeumann', '— '),
    'two spaces': GO_NOTE.replace('PeterNeumann ', 'PeterNeumann  '),
    'a space at the end of a line': GO_NOTE.replace('nAM=\n', 'nAM= \n'),
    'no signature but a key id': GO_NOTE.replace(/x08go.*=/, 'x08gow=='),
    'Base64 of another alphabet': GO_NOTE.replace('/', '_').replace('+', '-'),
    'Base64 without padding': GO_NOTE.replace('nAM=', 'nAM'),
    'Base64 with bits behind its end': GO_NOTE.replace('nAM=', 'nAN='),
    'Base64 broken over lines': GO_NOTE.replace('Sffcv', 'Sff\ncv'),
    'a carriage return': GO_NOTE.replaceAll('\n', '\r\n'),
    'a tab': GO_NOTE.replace('If you', 'If\tyou'),
    'a zero byte': `\u0000${GO_NOTE}`,
    'a byte that is not UTF-8': concat(Uint8Array.of(0xff), utf8(GO_NOTE)),
    'nothing at all': '',
  };
  for (const [why, bad] of Object.entries(BAD))
    it(`is refused with ${why}`, () => {
      expect(() => parseNote(typeof bad === 'string' ? utf8(bad) : bad)).toThrow(refusal('transcript/bad-note'));
    });

  it('has as many signatures as its limit says, which leaves room for 256 witnesses, and no more', () => {
    expect(LIMITS.noteSignatures).toBeGreaterThan(256);
    const lines = (count: number): Uint8Array =>
      utf8(
        `${GO_TEXT}\n${Array.from({ length: count }, (_, k) => GO_LINE.replace('Peter', `${'n'.repeat(120)}${k}`)).join('')}`,
      );
    expect(parseNote(lines(LIMITS.noteSignatures)).signatures.length).toBe(LIMITS.noteSignatures);
    expect(() => parseNote(lines(LIMITS.noteSignatures + 1))).toThrow(refusal('transcript/note-too-large'));
    const long = utf8(`${'x'.repeat(LIMITS.noteBytes)}\n\n${GO_LINE}`);
    expect(() => parseNote(long)).toThrow(refusal('transcript/note-too-large'));
  });
});

describe('a checkpoint', () => {
  it('is three lines, signed by the log and opened with its key', () => {
    expect(formatCheckpoint(CHECKPOINT)).toBe(
      'heartland/log\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n',
    );
    const note = signCheckpoint(CHECKPOINT, LOG_KEY);
    const opened = openCheckpoint(formatNote(note), LOG);
    expect(opened).toStrictEqual({ checkpoint: CHECKPOINT, note });
    for (const size of [0, 1, Number.MAX_SAFE_INTEGER])
      expect(parseCheckpoint(formatCheckpoint({ ...CHECKPOINT, size })).size).toBe(size);
  });

  const text = formatCheckpoint(CHECKPOINT);
  const BAD: Record<string, string> = {
    'an extension line': `${text}extension\n`,
    'two lines': text.split('\n').slice(0, 2).join('\n') + '\n',
    'no final newline': text.slice(0, -1),
    'no origin': text.replace('heartland/log', ''),
    'an origin with a space': text.replace('heartland/log', 'heartland log'),
    'a size with a leading zero': text.replace('\n2', '\n02'),
    'a size with a sign': text.replace('\n2', '\n+2'),
    'a negative size': text.replace('\n2', '\n-2'),
    'a size in hexadecimal': text.replace('20852163', '0x10'),
    'a size with a space': text.replace('20852163', ' 20852163'),
    'a size with a fraction': text.replace('20852163', '1.0'),
    'a size in other digits': text.replace('20852163', '٣'),
    'a size that no number holds': text.replace('20852163', '9007199254740992'),
    'no size': text.replace('20852163', ''),
    'a root of 31 bytes': text.replace(/Bw.*=/, toBase64(new Uint8Array(31))),
    'a root of 33 bytes': text.replace(/Bw.*=/, toBase64(new Uint8Array(33))),
    'a root with bits behind its end': text.replace('Bwc=', 'Bwd='),
    'a root in hexadecimal': text.replace(/Bw.*=/, '07'.repeat(32)),
  };
  for (const [why, bad] of Object.entries(BAD))
    it(`is refused with ${why}`, () => {
      expect(bad).not.toBe(text);
      expect(() => parseCheckpoint(bad)).toThrow(refusal('transcript/bad-checkpoint'));
    });

  it('is refused when another log’s', () => {
    const other = signCheckpoint({ ...CHECKPOINT, origin: 'elsewhere/log' }, LOG_KEY);
    expect(() => openCheckpoint(formatNote(other), LOG)).toThrow(refusal('transcript/wrong-origin'));
  });

  it('is refused without a signature of the log’s key, whatever else signed it', () => {
    const unsigned = refusal('transcript/unsigned-checkpoint');
    const stranger = signCheckpoint(CHECKPOINT, signingKey(9));
    expect(() => openCheckpoint(formatNote(stranger), LOG)).toThrow(unsigned);
    const witnessed = { ...stranger, signatures: [cosign(stranger.text, LOG.name, LOG_KEY, AT)] };
    expect(() => openCheckpoint(formatNote(witnessed), LOG)).toThrow(unsigned);
    const note = signCheckpoint(CHECKPOINT, LOG_KEY);
    expect(
      openCheckpoint(formatNote({ ...note, signatures: [...stranger.signatures, ...note.signatures] }), LOG).checkpoint,
    ).toStrictEqual(CHECKPOINT);
  });

  it('is refused when one of the lines of the log’s key does not verify', () => {
    const note = signCheckpoint(CHECKPOINT, LOG_KEY);
    const line = note.signatures[0]!;
    const forged = { ...line, signature: line.signature.map((byte, k) => (k === 40 ? byte ^ 1 : byte)) };
    for (const signatures of [[forged], [line, forged], [forged, line]])
      expect(() => openCheckpoint(formatNote({ ...note, signatures }), LOG)).toThrow(
        refusal('transcript/unsigned-checkpoint'),
      );
  });
});

describe('a cosignature', () => {
  const note = signCheckpoint(CHECKPOINT, LOG_KEY);
  const witness = SILOS[0]!;
  const line = cosign(note.text, witness.name, witness.signing, AT);

  it('is time and Ed25519 over the two lines and the checkpoint', () => {
    expect(hex(line.signature.subarray(0, 8))).toBe(hex(u64be(AT)));
    const message = utf8(`cosignature/v1\ntime 1679315147\n${note.text}`);
    expect(verifyNoteSignature(witness.key, message, line.signature.subarray(8))).toBe(true);
    expect(cosignedAt(note.text, line.signature, witness)).toBe(AT);
  });

  it('is refused for another time, text, key or length', () => {
    expect(cosignedAt(note.text, concat(u64be(AT + 1), line.signature.subarray(8)), witness)).toBeUndefined();
    expect(cosignedAt(note.text.replace('log', 'lob'), line.signature, witness)).toBeUndefined();
    expect(cosignedAt(note.text, line.signature, SILOS[1]!)).toBeUndefined();
    expect(cosignedAt(note.text, line.signature.subarray(8), witness)).toBeUndefined();
    expect(cosignedAt(note.text, concat(line.signature, Uint8Array.of(0)), witness)).toBeUndefined();
    const farAway = concat(new Uint8Array(8).fill(0xff), line.signature.subarray(8));
    expect(cosignedAt(note.text, farAway, witness)).toBeUndefined();
  });

  it('is no signature of the log, nor the other way round', () => {
    const asLog = { ...line, name: LOG.name, keyId: keyId('ed25519', { name: LOG.name, key: witness.key }) };
    expect(() =>
      openCheckpoint(formatNote({ ...note, signatures: [asLog] }), { name: LOG.name, key: witness.key }),
    ).toThrow(refusal('transcript/unsigned-checkpoint'));
    expect(cosignedBy(note, [LOG])).toStrictEqual([]);
  });
});

describe('a quorum', () => {
  const note = signCheckpoint(CHECKPOINT, LOG_KEY);
  const lines = SILOS.map(({ name, signing }, k) => cosign(note.text, name, signing, AT + k));
  const all = lines.reduce(addSignature, note);
  const names = (given: readonly { name: string }[]): string[] => given.map(({ name }) => name);

  it('counts each witness that cosigned, in the order of the witnesses', () => {
    expect(cosignedBy(all, SILOS)).toStrictEqual(SILOS.map(({ name }, k) => ({ name, atSeconds: AT + k })));
    expect(names(cosignedBy(all, SILOS.slice(1)))).toStrictEqual(names(SILOS.slice(1)));
    expect(cosignedBy(note, SILOS)).toStrictEqual([]);
    expect(openCheckpoint(formatNote(all), LOG).note).toStrictEqual(all);
  });

  it('counts a witness once, however often it signed', () => {
    const again = cosign(note.text, SILOS[0]!.name, SILOS[0]!.signing, AT + 60);
    const twice = { ...all, signatures: [again, ...all.signatures, all.signatures[1]!] };
    expect(cosignedBy(twice, SILOS)).toHaveLength(3);
    expect(cosignedBy(twice, SILOS)[0]).toStrictEqual({ name: SILOS[0]!.name, atSeconds: AT + 60 });
    expect(addSignature(all, again).signatures).toHaveLength(4);
  });

  it('counts one key once, under whatever names it is listed', () => {
    const alias = { name: witnessName('heartland', 'alias'), key: SILOS[0]!.key };
    const both = addSignature(all, cosign(note.text, alias.name, SILOS[0]!.signing, AT));
    expect(names(cosignedBy(both, [...SILOS, alias]))).toStrictEqual(names(SILOS));
    expect(cosignedBy(all, [...SILOS, SILOS[0]!])).toHaveLength(3);
  });

  it('ignores lines that do not verify, without losing the ones that do', () => {
    const forged = { ...lines[0]!, signature: new Uint8Array(72) };
    expect(cosignedBy({ ...all, signatures: [forged, ...all.signatures] }, SILOS)).toHaveLength(3);
    expect(names(cosignedBy({ ...all, signatures: [forged, lines[1]!] }, SILOS))).toStrictEqual([SILOS[1]!.name]);
    const renamed = { ...lines[1]!, name: SILOS[0]!.name };
    expect(cosignedBy({ ...all, signatures: [renamed] }, SILOS)).toStrictEqual([]);
  });

  it('counts 256 witnesses on one note', () => {
    const many = Array.from({ length: 256 }, (_, k) => {
      const signing = SigningKey.from(SecretBytes.of(concat(new Uint8Array(24), u64be(k + 1))));
      return { name: witnessName('heartland', `silo-${k}`), key: signing.publicKey, signing };
    });
    const full = many.reduce(
      (held, { name, signing }) => addSignature(held, cosign(note.text, name, signing, AT)),
      note,
    );
    expect(cosignedBy(openCheckpoint(formatNote(full), LOG).note, many)).toHaveLength(256);
  });

  it('is as large as two forks need more than c silos in common', () => {
    for (let silos = 3; silos <= 200; silos++)
      for (let c = 0; 3 * c < silos; c++) {
        const quorum = witnessQuorum(silos, c);
        expect(2 * quorum - silos).toBeGreaterThan(c);
        expect(2 * (quorum - 1) - silos).toBeLessThanOrEqual(c);
      }
  });
});

describe('a signature without a label', () => {
  it('is made and verified for text alone, so it never passes for a signed message of the protocol', () => {
    for (const message of [new Uint8Array(0), Uint8Array.of(0, 22), utf8('\n'), utf8('\u001f')]) {
      expect(() => LOG_KEY.signNote(message)).toThrow();
      expect(verifyNoteSignature(LOG.key, message, new Uint8Array(64))).toBe(false);
      expect(verifyNoteSignatureIndependently(LOG.key, message, new Uint8Array(64))).toBe(false);
    }
    const signature = LOG_KEY.sign('ack', utf8('payload'));
    const label = utf8('veilsum/v1/sig/ack');
    const signed = concat(Uint8Array.of(0, label.length), label, utf8('payload'));
    expect(verifySignature(LOG.key, 'ack', utf8('payload'), signature)).toBe(true);
    expect(verifyNoteSignature(LOG.key, signed, signature)).toBe(false);
    expect(verifyNoteSignatureIndependently(LOG.key, signed, signature)).toBe(false);
  });
});

describe('Base64', () => {
  it('has the vectors of RFC 4648 and one spelling for each value', () => {
    const vectors = {
      '': '',
      f: 'Zg==',
      fo: 'Zm8=',
      foo: 'Zm9v',
      foob: 'Zm9vYg==',
      fooba: 'Zm9vYmE=',
      foobar: 'Zm9vYmFy',
    };
    for (const [plain, encoded] of Object.entries(vectors)) {
      expect(toBase64(utf8(plain))).toBe(encoded);
      expect(fromBase64(encoded)).toStrictEqual(utf8(plain));
    }
    for (const bad of ['Zh==', 'Zm9=', 'Zg=', 'Zg', 'Z===', '====', 'Zg==Zg==', ' Zg==', 'Zg==\n', 'Zm_v'])
      expect(fromBase64(bad)).toBeUndefined();
  });
});
