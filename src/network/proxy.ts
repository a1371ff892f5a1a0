// The proxy as a configuration names it, and as connections need it: the credentials come from a file of their own.

import { fromUtf8 } from '../base/index.js';
import { readSecretFile } from '../system/index.js';
import { NetworkError } from './errors.js';
import type { Proxy } from './socket.js';

export interface ProxyFields {
  /** `host:port`. */
  readonly address: string;
  /** Path of a file with `user:password`, mode 0600. */
  readonly credentials?: string | undefined;
}

/** Throws SystemError `system/secret-exposed` and others, NetworkError `network/proxy-credentials` on a file of another form. */
export async function readProxy(fields: ProxyFields | undefined): Promise<Proxy | undefined> {
  if (fields?.credentials === undefined) return fields === undefined ? undefined : { address: fields.address };
  const credentials = fromUtf8(await readSecretFile(fields.credentials)).trim();
  if (!/^[^:\n]+:[^\n]*$/.test(credentials))
    throw new NetworkError('network/proxy-credentials', `${fields.credentials} is not one line user:password.`);
  return { address: fields.address, credentials };
}
