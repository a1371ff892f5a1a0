// Consortia at the points that a reader meets them in.

import { MemoryConsortium } from '../../support/memory/consortium.js';
import { MemorySource } from '../../support/admin-source.js';
import { adminHandlers } from '../../../coordinator/admin/index.js';
import type { AdminCaller, AdminHandlers } from '../../../src/transport/index.js';

export const OLGA: AdminCaller = { role: 'operator', id: 'olga' };
export const ADA: AdminCaller = { role: 'auditor', id: 'ada' };

export interface Stand {
  readonly consortium: MemoryConsortium;
  readonly source: MemorySource;
  readonly handlers: AdminHandlers;
}

export function stand(consortium: MemoryConsortium): Stand {
  const source = new MemorySource(consortium);
  return { consortium, source, handlers: adminHandlers(source) };
}

/** Four silos, three rounds, all of them done. */
export function completed(): Stand {
  const consortium = new MemoryConsortium(4);
  consortium.run();
  return stand(consortium);
}

/** One round done; in the second, silo-001 has not sent its masked input. */
export function running(): Stand {
  const consortium = new MemoryConsortium(4);
  consortium.run(1);
  consortium.hooks = { arrive: (silo, { type }) => !(silo.id === 'silo-001' && type === 'masked-header') };
  // A silo waits between rounds for acknowledgements; time does not pass here.
  consortium.settle();
  return stand(consortium);
}

/** No masked input of round 1 has ever arrived, in three attempts. */
export function abandoned(): Stand {
  const consortium = new MemoryConsortium(4);
  consortium.hooks = { arrive: (_, { type }) => type !== 'masked-header' };
  consortium.run(1);
  consortium.hooks = {};
  return stand(consortium);
}
