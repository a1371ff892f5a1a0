// Files of keys and certificates: readable, belonging together, for this member, and for how long.

import { isoTime } from '../../base/index.js';
import { certificatesIn, expiryOf, type Identity, inspectCertificate, type TlsFiles } from '../../pki/index.js';
import { systemClock } from '../../system/index.js';
import { failed, type Finding, ok, warning } from './finding.js';

export function checkCertificate(tls: TlsFiles, consortium: string, identity: Identity, renewed: boolean): Finding[] {
  const facts = inspectCertificate(tls.leafPem);
  const own =
    facts.identity?.role === identity.role && facts.identity.id === identity.id && facts.consortium === consortium
      ? ok('role', facts.names.join(', '))
      : failed(
          'role',
          `tls.bundle is the certificate of ${facts.names.join(', ') || 'nobody'}`,
          `Put the bundle of ${identity.role} ${identity.id} of ${consortium} there.`,
        );
  return [own, checkChain(tls), checkExpiry(tls, renewed)];
}

/** The own certificate against the own list of authorities: the other side trusts the same ones. */
function checkChain(tls: TlsFiles): Finding {
  const { chainPem, authorityPem } = tls.current;
  const trusted = certificatesIn(authorityPem).map((pem) => inspectCertificate(pem));
  const root = inspectCertificate(certificatesIn(chainPem).at(-1) ?? '');
  const now = systemClock.now();
  const match = trusted.find(({ fingerprint }) => fingerprint === root.fingerprint);
  if (match === undefined)
    return warning(
      'authorities',
      `tls.bundle is of the authority ${root.fingerprint.slice(0, 16)}…, which is not in tls.ca`,
      'Check with the consortium that both files are of one authority. With an external authority this is as it should be.',
    );
  if (match.notAfter < now)
    return failed(
      'authorities',
      'the authority’s certificate has ended',
      'The consortium makes a new one: veilsum-ca rollover.',
    );
  return ok('authorities', `${String(trusted.length)}, this certificate’s until ${isoTime(match.notAfter)}`);
}

function checkExpiry(tls: TlsFiles, renewed: boolean): Finding {
  const now = systemClock.now();
  const { state, notAfter, leftMs } = expiryOf(tls.leafPem, now);
  const { notBefore } = inspectCertificate(tls.leafPem);
  const found = `until ${isoTime(notAfter)}, ${String(Math.max(0, Math.floor(leftMs / 3_600_000)))} hours left`;
  if (now < notBefore)
    return failed(
      'certificate',
      `begins at ${isoTime(notBefore)}`,
      'Set this machine’s clock: it is behind the authority’s.',
    );
  if (state === 'expired') return failed('certificate', found, 'Enrol again with a new token, or replace the bundle.');
  if (state === 'fresh') return ok('certificate', found);
  if (state === 'due' && renewed) return ok('certificate', `${found}; it is renewed about now`);
  return warning(
    'certificate',
    found,
    renewed
      ? 'It is not being renewed: see the log for certificate.not-renewed.'
      : 'Replace the bundle, or name the authority’s service in the configuration.',
  );
}
