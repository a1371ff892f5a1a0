// For commands that look at, copy or fill the state: they have it to themselves. Of files the state folder's lock sees to that, of a database
// the lease, which is renewed for as long as the command takes.

import { lockStateDirectory, makeDirectory } from '../../src/system/index.js';
import type { CoordinatorConfig } from '../../src/config/index.js';
import type { SharedSettings, SharedStore } from '../../src/storage/index.js';
import { openTogether, type Store } from '../store.js';

/** Throws SystemError `system/state-…`, StorageError `storage/lease-held`. */
export async function withSharedStore<T>(
  config: CoordinatorConfig,
  settings: SharedSettings,
  work: (store: Store & { readonly shared: SharedStore }) => Promise<T>,
  unfinished: 'refused' | 'taken' = 'refused',
): Promise<T> {
  await makeDirectory(config.state);
  const lock = await lockStateDirectory(config.state);
  try {
    const store = await openTogether(config, settings, unfinished);
    const { lease, journal } = store.shared;
    try {
      await lease.demand();
      await journal.refresh();
      const renewal = setInterval(() => {
        // A renewal that failed is noticed by the next write, or by whoever takes the lease.
        lease.renew().catch(() => undefined);
      }, lease.ttlMs / 3);
      try {
        return await work(store);
      } finally {
        clearInterval(renewal);
      }
    } finally {
      await store.close();
    }
  } finally {
    await lock.release();
  }
}
