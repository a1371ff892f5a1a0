// veilsum-ca inspect: what a certificate or bundle says, for a person or, with --json, for a script. Private keys are never shown.

import type { Command } from 'commander';
import type { UnixMs } from '../../src/base/index.js';
import { isoTime } from '../../src/base/index.js';
import type { CertificateFacts } from '../../src/pki/index.js';
import { certificatesIn, inspectCertificate, PkiError } from '../../src/pki/index.js';
import { systemClock } from '../../src/system/index.js';
import { readText } from './authority-folder.js';
import { DAY_MS, HOUR_MS } from './outcome.js';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('say what the certificates in a file are')
    .argument('<file>', 'certificate or bundle in PEM')
    .option('--json', 'print JSON', false)
    .action(async (file: string, { json }: { readonly json: boolean }) => {
      const certificates = certificatesIn(await readText(file)).map(inspectCertificate);
      if (certificates.length === 0)
        throw new PkiError('pki/unreadable', `${file} holds no certificate in PEM`, {
          remedy: 'Name a certificate or a bundle; key files have nothing to show.',
        });
      const now = systemClock.now();
      if (json)
        console.log(
          JSON.stringify(
            certificates.map((facts) => toJson(facts, now)),
            null,
            2,
          ),
        );
      else console.log(certificates.map((facts) => toText(facts, now)).join('\n\n'));
    });
}

function toJson(facts: CertificateFacts, now: UnixMs): object {
  const { notBefore, notAfter, ...rest } = facts;
  return { ...rest, notBefore: isoTime(notBefore), notAfter: isoTime(notAfter), daysLeft: daysLeft(facts, now) };
}

function toText(facts: CertificateFacts, now: UnixMs): string {
  const rows: [string, string][] = [
    ['subject', facts.subject],
    ['role', roleOf(facts)],
    ['names', facts.names.join(', ') || 'none'],
    ['issuer', facts.issuer],
    ['serial', facts.serial],
    ['valid', `${isoTime(facts.notBefore)} to ${isoTime(facts.notAfter)} (${remaining(facts, now)})`],
    ['used as', facts.usages.join(', ') || 'not limited'],
    ['key', facts.algorithm],
    ['sha-256', facts.fingerprint],
  ];
  return rows.map(([name, value]) => `${name.padEnd(8)} ${value}`).join('\n');
}

function roleOf({ authority, consortium, identity }: CertificateFacts): string {
  if (authority) return `authority of ${consortium ?? 'no consortium'}`;
  return identity === undefined ? 'none: names no member' : `${identity.role} ${identity.id} of ${consortium ?? ''}`;
}

/** Whole days that remain; negative when it has ended. */
function daysLeft(facts: CertificateFacts, now: UnixMs): number {
  return Math.floor((facts.notAfter - now) / DAY_MS);
}

function remaining(facts: CertificateFacts, now: UnixMs): string {
  if (now < facts.notBefore) return 'not valid yet';
  if (now > facts.notAfter) return 'EXPIRED';
  const hours = Math.floor((facts.notAfter - now) / HOUR_MS);
  return hours < 48 ? `${String(hours)} hours left` : `${String(daysLeft(facts, now))} days left`;
}
