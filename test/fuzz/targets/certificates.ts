// Certificates, bundles and revocation lists: what a TLS peer presents, and what lies beside it on disk.

import { concat, fromUtf8, utf8, type Result } from '../../../src/base/index.js';
import {
  checkRequest,
  createRequest,
  identityFromCertificate,
  inspectCertificate,
  issueWithNewKey,
  PkiError,
  parseBundle,
  parseRevocations,
} from '../../../src/pki/index.js';
import { x509 } from '../../../src/pki/x509.js';
import { craft, derOf, newAuthority, NOW, optionsFor } from '../../unit/pki/authority-fixture.js';
import { mutateBytes } from '../bytes.js';
import type { Random } from '../random.js';
import { ACCEPTED, checkWords, never, Violation, type Target } from '../target.js';

const CONSORTIUM = 'north';
const HONEST = 'spiffe://north/silo/silo-a';
const URIS: readonly string[] = [
  'SPIFFE://north/silo/silo-a',
  'spiffe://NORTH/silo/silo-a',
  'spiffe://north/silo/Silo-A',
  'spiffe://north/silo/silo-a/',
  'spiffe://north//silo/silo-a',
  'spiffe://north/silo/',
  'spiffe://north/silo',
  'spiffe://north/',
  'spiffe://north',
  'spiffe:///silo/silo-a',
  'spiffe://south/silo/silo-a',
  'https://north/silo/silo-a',
  'spiffe://user@north/silo/silo-a',
  'spiffe://north:443/silo/silo-a',
  'spiffe://north/silo/silo-a?x=1',
  'spiffe://north/silo/silo-a#x',
  'spiffe://north/silo/silo%2da',
  'spiffe://north/silo/silo-a%00',
  'spiffe://north/silo/silo-a\u0000',
  'spiffe://north/silo/../silo/silo-a',
  'spiffe://north/operator/olga',
  'spiffe://north/coordinator/',
  'spiffe://north/coordinator',
  'spiffe://north/coordinator/coordinator',
  'spiffe://north/admin/root',
  'spiffe://north/silo/silo-a\n',
  ' spiffe://north/silo/silo-a',
  `spiffe://north/silo/${'a'.repeat(64)}`,
  `spiffe://north/silo/${'a'.repeat(20_000)}`,
  '',
  'silo-a',
  'spiffe://north.example/silo/silo-a',
  'spiffe://north/silo/-a',
  'spiffe://north/silo/silo-a;silo-b',
  'urn:spiffe://north/silo/silo-a',
];

type Names = x509.JsonGeneralNames;

async function certificates(): Promise<Uint8Array[]> {
  const { authority } = await newAuthority(CONSORTIUM);
  const uri = (value: string): Names[number] => ({ type: 'url', value });
  const names: Names[] = [
    ...URIS.map((value) => [uri(value)]),
    [],
    [uri(HONEST), uri(HONEST)],
    [uri(HONEST), uri('spiffe://north/silo/silo-b')],
    [{ type: 'dns', value: 'silo-a' }],
    [{ type: 'ip', value: '127.0.0.1' }],
    [
      { type: 'dns', value: HONEST },
      { type: 'email', value: 'silo-a@north' },
    ],
    [{ type: 'dns', value: 'x' }, uri(HONEST)],
    Array.from({ length: 300 }, () => uri(HONEST)),
  ];
  const made: Uint8Array[] = [];
  for (const list of names) {
    try {
      made.push(await craft(authority, { names: list }));
    } catch {
      // The library does not write this one: then no certificate has it either.
    }
  }
  made.push(
    await craft(authority, { names: [uri(HONEST)], ca: true }),
    await craft(authority, { names: [uri(HONEST)], usages: [] }),
  );
  const honest = await issueWithNewKey(authority, optionsFor('silo', 'silo-a'));
  return [derOf(honest.certificatePem), ...made];
}

/** Honest certificates and one text of a bundle. */
export async function certificatesTarget(
  identify: typeof identityFromCertificate = identityFromCertificate,
): Promise<Target> {
  const ders = await certificates();
  const bundle = await bundleText();
  const list = 'AB:CD:01  # lost\n0a0b0c\n\n# nothing\n';
  const kinds = {
    certificate: 0,
    bundle: 1,
    list: 2,
    request: 3,
  } as const;
  const { requestPem } = await createRequest(CONSORTIUM, { role: 'silo', id: 'silo-a' });
  const request = new Uint8Array(new x509.Pkcs10CertificateRequest(requestPem).rawData);
  return {
    name: 'certificates',
    generate: (random) => {
      if (random.once(12)) return concat(Uint8Array.of(kinds.bundle), mutateBytes(random, utf8(bundle)));
      if (random.once(12)) return concat(Uint8Array.of(kinds.list), mutateBytes(random, utf8(list)));
      if (random.once(12)) return concat(Uint8Array.of(kinds.request), mutateBytes(random, request));
      return concat(Uint8Array.of(kinds.certificate), certificate(random));
    },
    execute: (input) => {
      const body = input.slice(1);
      if (input[0] === kinds.bundle) return attempted(() => parseBundle(text(body)));
      if (input[0] === kinds.list) return attempted(() => parseRevocations(text(body)));
      if (input[0] === kinds.request) {
        const pem = x509.PemConverter.encode(body.slice().buffer, 'CERTIFICATE REQUEST');
        return attemptedLater(() => checkRequest(pem));
      }
      return readOne(identify, body);
    },
  };

  function certificate(random: Random): Uint8Array {
    const der = random.pick(ders);
    return random.once(ders.length) ? der : mutateBytes(random, der, random.pick(ders));
  }
}

/** The code of a PkiError: where it comes up decides what kind of no it is, so here any category will do. */
function refusalOf(error: unknown): string {
  if (error instanceof PkiError) return checkWords(error.code, error.message);
  throw new Violation(`PKI threw ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
}

function attempted(work: () => unknown): string {
  try {
    work();
    return ACCEPTED;
  } catch (error) {
    return refusalOf(error);
  }
}

async function attemptedLater(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return ACCEPTED;
  } catch (error) {
    return refusalOf(error);
  }
}

/** As a file is read: text that is not UTF-8 gets no further than that. */
function text(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

async function bundleText(): Promise<string> {
  const { authority, files } = await newAuthority(CONSORTIUM);
  const { certificatePem, privateKeyPem } = await issueWithNewKey(authority, optionsFor('silo', 'silo-a'));
  return `${certificatePem}\n${files.certificatePem}\n${privateKeyPem}\n`;
}

function readOne(identify: typeof identityFromCertificate, der: Uint8Array): string {
  let read: Result<{ readonly uri: string; readonly role: string; readonly id: string }, Error & { code: string }>;
  try {
    read = identify(der, CONSORTIUM, NOW);
  } catch (error) {
    throw new Violation(`a certificate made its reader throw ${String(error)}`);
  }
  // Shown to people; a key that cannot be read is no matter of identity, because TLS has used it before.
  attempted(() => inspectCertificate(der));
  if (!read.ok) return checkWords(read.error.code, read.error.message);
  const { uri, role, id } = read.value;
  const spelled = role === 'coordinator' ? 'spiffe://north/coordinator' : `spiffe://north/${role}/${id}`;
  never(uri !== spelled, `${JSON.stringify(uri)} was taken for ${role} ${id}`);
  return ACCEPTED;
}
