// The files in which an agent and its operator's command meet: offered manifests and decisions, damaged in the state folder.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, hex } from '../../../src/base/index.js';
import { openManifest } from '../../../src/protocol/index.js';
import { encode, Envelope } from '../../../src/wire/index.js';
import { Offers } from '../../../silo-agent/offers.js';
import { found, manifestOf, signManifest } from '../../support/memory/founding.js';
import { mutateBytes } from '../bytes.js';
import { newFolder } from '../folder.js';
import { attemptedLater, never, type Target } from '../target.js';

export async function offersTarget(): Promise<Target> {
  const folder = newFolder();
  const founded = found(5);
  const { roster, silos } = founded;
  const manifest = openManifest(roster, signManifest(founded, manifestOf(founded)));
  const second = openManifest(roster, signManifest(founded, manifestOf(founded, { jobId: 'job-2' })));
  const offers = await Offers.open(folder.path);
  await offers.offer(manifest);
  await offers.offer(second);
  const silo = silos[0]!;
  await offers.decide(founded.keyOf(silo), silo, manifest, { approved: true, note: 'by the board', atMs: 1 });
  const offer = encode(Envelope, manifest.envelope);
  const { approvals } = await offers.decisions();
  const honest = [offer, encode(Envelope, approvals[0]!)];
  const paths = [
    join(folder.path, 'offers', `${hex(manifest.hash)}.manifest`),
    join(folder.path, 'decisions', `${hex(manifest.hash)}.decision`),
  ];
  return {
    name: 'offers',
    generate: (random) => {
      const which = random.below(2);
      return concat(Uint8Array.of(which), mutateBytes(random, honest[which]!, random.pick(honest)));
    },
    execute: (input) => {
      const which = input[0] === 1 ? 1 : 0;
      writeFileSync(paths[which]!, input.subarray(1));
      return attemptedLater(async () => {
        // One damaged offer hides no other.
        const listed = await offers.list(roster);
        never(!listed.some(({ jobId }) => jobId === 'job-2'), 'a damaged offer hides another one');
        await offers.decisionOn(manifest.hash);
        await offers.decisions();
      });
    },
    close: folder.remove,
  };
}
