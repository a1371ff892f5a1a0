// Certificates that live seconds under a round that takes longer: real agents renew in the middle of it, and nothing is lost.

import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { revokedPath } from '../../certs/commands/authority-folder.js';
import { unixMs } from '../../src/base/index.js';
import { issueWithNewKey, writeBundle } from '../../src/pki/index.js';
import { privateKeyPem } from '../../src/pki/x509.js';
import { systemRng } from '../../src/system/index.js';
import { serveAuthority } from '../support/authority-service.js';
import { Consortium } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest } from '../support/e2e/jobs.js';
import { endOf, eventually, isAlive } from '../support/e2e/processes.js';

const LIFETIME_MS = 18_000;
const HOUR_MS = 3_600_000;
let consortium: Consortium;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  const { at, authority, authorityPem, roster } = consortium.founded;
  await mkdir(at('ca'));
  await writeFile(at('ca/ca.pem'), authorityPem);
  await writeFile(at('ca/ca.key'), await privateKeyPem(authority.signingKey), { mode: 0o600 });
  await writeFile(revokedPath(at('ca')), '');
  const service = await serveAuthority(at('ca'), { roster }, LIFETIME_MS, (close) => closers.push(close));
  await consortium.startCoordinator();
  await consortium.prepareClients();
  for (const silo of consortium.silos.slice(0, 2)) {
    // Due at once: the authority's next one lives seconds.
    const issued = await issueWithNewKey(authority, {
      identity: { role: 'silo', id: silo },
      lifetimeMs: HOUR_MS,
      now: unixMs(Date.now() - 0.7 * HOUR_MS),
      rng: systemRng,
    });
    await writeBundle(at(`${silo}.tls.pem`), { ...issued, authorityPem }, { replace: true });
    await writeFile(at(`${silo}.ca.pem`), authorityPem);
    await consortium.configureAgent({
      silo,
      ca: `${silo}.ca.pem`,
      extra: `authority: { address: "${service.address}" }\n`,
    });
  }
});

afterAll(async () => {
  await consortium.close();
  for (const close of closers) await close();
});

it('renews in the middle of a round, twice over, without a restart and without harm', async () => {
  const { silos, roster } = consortium.founded;
  const [a, b, held] = silos as unknown as readonly [string, string, string];
  const agents = [a, b].map((silo) => consortium.startAgent(silo));
  const holder = consortium.startAgent(held, 'silo.before-upload');
  const renewals = (silo: string): number =>
    consortium.log(silo).filter(({ event }) => event === 'certificate.renewed').length;
  const manifest = await consortium.offer(statisticsManifest(statisticsFile('sums', silos), roster.hash));
  await consortium.approve(manifest);
  await endOf(holder, held, () => consortium.tail(held));
  const before = [a, b].map(renewals);
  await eventually('a renewal while the round waits', () => [a, b].every((silo, i) => renewals(silo) > before[i]!), {
    why: () => consortium.tail(a, 20),
  });
  consortium.startAgent(held);
  await consortium.finished('sums');
  const [round] = await consortium.acknowledgedRounds('sums');
  expect(round!.survivors).toEqual(silos);
  for (const silo of [a, b]) {
    expect(renewals(silo)).toBeGreaterThanOrEqual(2);
    expect(consortium.log(silo).filter(({ event }) => event === 'certificate.kept')).toEqual([]);
  }
  expect(agents.map(isAlive)).toEqual([true, true]);
});
