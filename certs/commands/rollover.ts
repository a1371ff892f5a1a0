// veilsum-ca rollover: a new authority takes over from the old one while both count. Three steps, days apart: everybody learns of the new
// one (begin), certificates come from the new one (switch), the old one counts no more (finish). Members learn by renewing.

import { rename, unlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { utf8 } from '../../src/base/index.js';
import { createAuthority, inspectCertificate, PkiError } from '../../src/pki/index.js';
import { syncDirectory, systemClock, systemRng, writeFileDurably, writeSecretFile } from '../../src/system/index.js';
import { certificatePath, formerPath, loadAuthority, nextPath, readText, trustedPem } from './authority-folder.js';
import { DAY_MS, wholeNumber } from './outcome.js';

const DEFAULT_DAYS = 1825;

interface Options {
  readonly dir: string;
  readonly days: number;
}

export function addRollover(program: Command): void {
  const rollover = program
    .command('rollover')
    .description('replace the authority while both the old and the new one count');
  const step = (name: string, description: string): Command =>
    rollover.command(name).description(description).requiredOption('--dir <folder>', 'folder of the authority');
  step('begin', 'make the next authority; from now on members are told to trust both')
    .option('--days <n>', 'lifetime of the next authority', wholeNumber, DEFAULT_DAYS)
    .action(begin);
  step('switch', 'issue from the next authority; when every member has renewed since begin').action(switchOver);
  step('finish', 'trust the old authority no more; when every certificate of it has ended').action(finish);
}

async function begin({ dir, days }: Options): Promise<void> {
  demand(!existsSync(nextPath(dir)) && !existsSync(formerPath(dir)), dir, 'a roll-over is under way');
  const { consortium } = await loadAuthority(dir);
  const next = await createAuthority({ consortium, lifetimeMs: days * DAY_MS, now: systemClock.now(), rng: systemRng });
  await writeSecretFile(keyOf(nextPath(dir)), utf8(next.privateKeyPem), { replace: true });
  await writeFileDurably(nextPath(dir), utf8(next.certificatePem));
  await tell(dir, 'Members trust both authorities from their next renewal on. Switch when all have renewed.');
}

async function switchOver({ dir }: Options): Promise<void> {
  demand(existsSync(nextPath(dir)), dir, 'there is no next authority: begin first');
  // A crash in between leaves each certificate under one name at least; running it again completes it.
  await writeFileDurably(formerPath(dir), utf8(await readText(certificatePath(dir))));
  if (existsSync(keyOf(nextPath(dir)))) await rename(keyOf(nextPath(dir)), keyOf(certificatePath(dir)));
  await rename(nextPath(dir), certificatePath(dir));
  await syncDirectory(dir);
  await tell(dir, 'Certificates come from the new authority. Finish when those of the old one have ended.');
}

async function finish({ dir }: Options): Promise<void> {
  demand(existsSync(formerPath(dir)), dir, 'there is no former authority');
  await unlink(formerPath(dir));
  await syncDirectory(dir);
  await tell(dir, 'The old authority counts no more; members drop it at their next renewal.');
}

function demand(holds: boolean, dir: string, why: string): void {
  if (!holds) throw new PkiError('pki/rollover-order', `${dir}: ${why}`);
}

async function tell(dir: string, what: string): Promise<void> {
  console.log(what);
  for (const pem of (await trustedPem(dir))
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((one) => one.trim() !== ''))
    console.log(`  counts  ${inspectCertificate(pem).fingerprint}`);
}

function keyOf(path: string): string {
  return join(path.replace(/\.pem$/, '.key'));
}
