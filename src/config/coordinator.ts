// The coordinator's configuration.

import type { z } from 'zod';
import { address, dialled, log, name, pathIn, strict, tls } from './fields.js';
import { readConfig } from './read.js';

const coordinator = (folder: string) =>
  strict({
    consortium: name,
    /** Journal, spooled uploads and blobs. One folder for one coordinator. */
    state: pathIn(folder),
    listen: address(0),
    tls: tls(folder),
    /** Where its certificate is renewed; without it somebody has to replace the bundle. */
    authority: dialled.optional(),
    keys: strict({
      signing: pathIn(folder),
      /** Signs checkpoints of the transparency log; needed when the roster names a log. */
      log: pathIn(folder).optional(),
      /** Encrypts the journal, which holds released shares until they are published. */
      storage: pathIn(folder),
    }),
    roster: strict({ file: pathIn(folder) }),
    /** Serial numbers of revoked certificates, one a line; read again when it changes. */
    revoked: pathIn(folder).optional(),
    /** Prometheus and health over plain HTTP; nowhere unless given. */
    metrics: strict({ listen: address(0) }).optional(),
    log: log(folder),
  });

export type CoordinatorConfig = z.output<ReturnType<typeof coordinator>>;

/** Throws ConfigError with every bad field. */
export async function readCoordinatorConfig(path: string): Promise<CoordinatorConfig> {
  return readConfig<CoordinatorConfig>(path, coordinator);
}
