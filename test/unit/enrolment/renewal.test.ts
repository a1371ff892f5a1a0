// The next certificate from the one before: fetched by itself, refused to whom it must be, kept when what comes is of no use; and one
// authority following another.

import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadAuthority } from '../../../certs/commands/authority-folder.js';
import { readPresentRoster } from '../../../certs/commands/present-roster.js';
import { bar } from '../../../certs/service/barred.js';
import { unixMs } from '../../../src/base/index.js';
import type { SigningKey } from '../../../src/crypto/index.js';
import { keepRenewed, type KeepRenewedOptions } from '../../../src/enrolment/index.js';
import {
  certificatesIn,
  expiryOf,
  inspectCertificate,
  issueWithNewKey,
  keepFresh,
  readBundle,
  TlsFiles,
  writeBundle,
} from '../../../src/pki/index.js';
import { encodeChain, openSuccession, type Roster } from '../../../src/protocol/index.js';
import { systemClock, systemRng } from '../../../src/system/index.js';
import { authorityFolder, serveAuthority } from '../../support/authority-service.js';
import { built, startNode } from '../../support/built-program.js';
import { found, keyFrom } from '../../support/memory/founding.js';
import { signedSuccessor, successorOf, without } from '../../support/memory/rosters.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { until } from '../../support/transport.js';

const founded = found(3);
const [silo, otherSilo] = founded.silos as unknown as readonly [string, string];
const HOUR_MS = 3_600_000;

interface House {
  readonly folder: string;
  readonly ca: string;
  readonly paths: { readonly bundle: string; readonly ca: string };
  readonly tls: TlsFiles;
}

/** A silo whose certificate has `left` of one hour; the service issues for `lifetimeMs`. */
async function house(left = 0.3): Promise<House> {
  const folder = temporaryFolder();
  const ca = await authorityFolder(folder, founded.roster.consortiumId);
  const paths = { bundle: join(folder, 'silo.pem'), ca: join(folder, 'trusted.pem') };
  writeFileSync(paths.ca, readFileSync(join(ca, 'ca.pem')));
  await put(ca, paths.bundle, silo, left);
  return { folder, ca, paths, tls: await TlsFiles.open(paths) };
}

async function put(ca: string, path: string, id: string, left: number): Promise<void> {
  const authority = await loadAuthority(ca);
  const identity = { role: 'silo', id } as const;
  const now = unixMs(Date.now() - Math.round((1 - left) * HOUR_MS));
  const issued = await issueWithNewKey(authority, { identity, lifetimeMs: HOUR_MS, now, rng: systemRng });
  await writeBundle(path, { ...issued, authorityPem: authority.certificate.toString('pem') }, { replace: true });
}

interface Seen {
  used: number;
  renewed: number;
  failed: unknown[];
  expiring: string[];
}

function keep({ paths, tls }: House, address: string, more: Partial<KeepRenewedOptions> = {}): Seen {
  const seen: Seen = { used: 0, renewed: 0, failed: [], expiring: [] };
  const stop = keepRenewed({
    consortium: founded.roster.consortiumId,
    identity: { role: 'silo', id: silo },
    key: founded.keyOf(founded.silos[0]!),
    tls,
    paths,
    endpoint: { address },
    clock: systemClock,
    rng: { bytes: (length) => randomBytes(length) },
    use: () => seen.used++,
    onRenewed: () => seen.renewed++,
    onFailed: (error) => seen.failed.push(error),
    onExpiring: (state) => seen.expiring.push(state),
    ...more,
  });
  onTestFinished(stop);
  return seen;
}

const serialOf = (pem: string): string => inspectCertificate(pem).serial;

describe('a certificate of which two thirds are over', () => {
  it('is renewed by itself, put to use, and written where the configuration says', async () => {
    const made = await house();
    const before = serialOf(made.tls.leafPem);
    const { address } = await serveAuthority(made.ca, founded, HOUR_MS);
    const seen = keep(made, address);
    await until(() => seen.renewed === 1);
    expect(seen).toMatchObject({ used: 1, failed: [], expiring: [] });
    expect(serialOf(made.tls.leafPem)).not.toBe(before);
    expect((await readBundle(made.paths.bundle)).leafPem).toBe(made.tls.leafPem);
    expect(expiryOf(made.tls.leafPem, systemClock.now()).state).toBe('fresh');
  });

  it('is renewed again and again when certificates live seconds', async () => {
    const made = await house();
    const { address } = await serveAuthority(made.ca, founded, 3_000);
    const seen = keep(made, address);
    await until(() => seen.renewed >= 3);
    expect(seen.used).toBe(seen.renewed);
  });

  it('is tried again while nobody answers, with a warning when it ends soon', async () => {
    const made = await house(0.05);
    const seen = keep(made, 'localhost:1');
    await until(() => seen.failed.length > 0 && seen.expiring.length > 0);
    expect(seen.failed[0]).toMatchObject({ code: 'network/unreachable' });
    expect(seen.expiring).toEqual(['urgent']);
  });

  it('is left alone before that', async () => {
    const made = await house(0.5);
    const seen = keep(made, 'localhost:1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toEqual({ used: 0, renewed: 0, failed: [], expiring: [] });
  });
});

describe('a renewal is refused', () => {
  const refused = async (
    made: House,
    more: Partial<KeepRenewedOptions> = {},
    roster: Roster = founded.roster,
  ): Promise<unknown> => {
    const before = readFileSync(made.paths.bundle, 'utf8');
    const { address } = await serveAuthority(made.ca, { roster }, HOUR_MS);
    const seen = keep(made, address, more);
    await until(() => seen.failed.length > 0);
    expect(readFileSync(made.paths.bundle, 'utf8')).toBe(before);
    return seen.failed[0];
  };

  it('to a certificate that was revoked', async () => {
    const made = await house();
    appendFileSync(join(made.ca, 'revoked.txt'), `${serialOf(made.tls.leafPem)}\n`);
    expect(await refused(made)).toMatchObject({ code: 'enrolment/no-certificate' });
  });

  it('to a silo that was barred', async () => {
    const made = await house();
    await bar(made.ca, { role: 'silo', id: silo });
    expect(await refused(made)).toMatchObject({ code: 'enrolment/barred' });
  });

  it('to a silo that the others have removed from the roster', async () => {
    const four = found(4).roster;
    const roster = successorOf(four, without(silo));
    const chain = openSuccession(
      four,
      roster,
      ['silo-001', 'silo-002', 'silo-003'].map((one) => signedSuccessor(four, one, roster)),
    );
    // As the authority reads it: the file of its configuration, and what `veilsum-agent roster show --out` wrote.
    const folder = temporaryFolder();
    const files = { file: join(folder, 'roster.bin'), successors: join(folder, 'rosters.bin') };
    writeFileSync(files.file, four.payload);
    writeFileSync(files.successors, encodeChain(chain));
    const present = await readPresentRoster({ roster: files });
    expect(present.hash).toEqual(chain.hash);
    expect(await refused(await house(), {}, present)).toMatchObject({ code: 'enrolment/not-in-roster' });
    expect((await readPresentRoster({ roster: { file: files.file } })).hash).toEqual(four.hash);
  });

  it('to whoever has the certificate and not the protocol key', async () => {
    const key: SigningKey = keyFrom('somebody else');
    expect(await refused(await house(), { key })).toMatchObject({ code: 'enrolment/unproven' });
  });

  it('to a certificate of another authority', async () => {
    const [made, foreign] = [await house(), await house()];
    // Told to trust the service, but not trusted by it.
    writeFileSync(foreign.paths.ca, readFileSync(join(made.ca, 'ca.pem')));
    const tls = await TlsFiles.open(foreign.paths);
    expect(await refused({ ...made, tls, paths: foreign.paths })).toMatchObject({ code: 'enrolment/no-certificate' });
  });
});

describe('files that people put there', () => {
  it.each([
    [
      'half a bundle',
      'pki/unreadable',
      async (made: House) => {
        // Beside the file: a whole one in its place would be taken before it is torn.
        const whole = `${made.paths.bundle}.whole`;
        await put(made.ca, whole, silo, 1);
        tear(whole, made.paths.bundle);
      },
    ],
    ['the bundle of another silo', 'pki/other-member', (made: House) => put(made.ca, made.paths.bundle, otherSilo, 1)],
    ['a bundle that has ended', 'pki/expired', (made: House) => put(made.ca, made.paths.bundle, silo, -0.1)],
    [
      'half a file of authorities',
      'pki/unreadable',
      ({ paths }: House) => {
        tear(paths.ca, paths.ca);
        return Promise.resolve();
      },
    ],
    ['an authority that is none', 'pki/not-an-authority', (made: House) => writeFile(made.paths.ca, made.tls.leafPem)],
  ])('%s: the last good one stays, and it is said', async (_what, code, spoil) => {
    const made = await house();
    const before = made.tls.current;
    const kept: unknown[] = [];
    const stop = keepFresh({
      file: made.tls,
      everyMs: 5,
      onTaken: () => kept.push('taken'),
      onKept: (why) => kept.push(why),
    });
    onTestFinished(stop);
    await spoil(made);
    await until(() => kept.length > 0);
    expect(kept).toMatchObject([{ code }]);
    expect(made.tls.current).toEqual(before);
    // A good one afterwards is taken.
    writeFileSync(made.paths.ca, readFileSync(join(made.ca, 'ca.pem')));
    await put(made.ca, made.paths.bundle, silo, 1);
    await until(() => made.tls.current.chainPem !== before.chainPem);
    expect(kept).toContain('taken');
  });

  function tear(whole: string, into: string): void {
    const text = readFileSync(whole, 'utf8');
    writeFileSync(`${into}.torn`, text.slice(0, Math.floor(text.length / 2)), { mode: 0o600 });
    renameSync(`${into}.torn`, into);
  }
});

describe('one authority follows another', () => {
  const step = async (name: string, dir: string): Promise<void> => {
    const end = await startNode([built('certs/main.ts'), 'rollover', name, '--dir', dir]).ended;
    expect(end).toMatchObject({ code: 0, stderr: '' });
  };

  it('in three steps, and every member comes along by renewing', async () => {
    const made = await house();
    const fingerprints = (pem: string): string[] =>
      certificatesIn(pem).map((one) => inspectCertificate(one).fingerprint);
    const [old] = fingerprints(made.tls.current.authorityPem);
    const renewNow = async (): Promise<void> => {
      // Each service is new, as one would be that was started again after the step.
      const { address } = await serveAuthority(made.ca, founded, HOUR_MS);
      const seen = keep(made, address, { clock: { now: () => unixMs(Date.now() + 0.7 * HOUR_MS) } });
      await until(() => seen.renewed > 0 || seen.failed.length > 0);
      expect(seen.failed).toEqual([]);
    };
    expect((await startNode([built('certs/main.ts'), 'rollover', 'switch', '--dir', made.ca]).ended).stderr).toMatch(
      /^pki\/rollover-order: /,
    );
    await step('begin', made.ca);
    await renewNow();
    const both = fingerprints(made.tls.current.authorityPem);
    expect(both).toHaveLength(2);
    expect(both[0]).toBe(old);
    const issuer = (): string | undefined => fingerprints(made.tls.current.chainPem)[1];
    expect(issuer()).toBe(old);

    await step('switch', made.ca);
    await renewNow();
    expect(issuer()).toBe(both[1]);
    expect(fingerprints(made.tls.current.authorityPem)).toEqual([both[1], old]);

    await step('finish', made.ca);
    await renewNow();
    expect(fingerprints(made.tls.current.authorityPem)).toEqual([both[1]]);
  });
});
