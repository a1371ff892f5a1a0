// Where the authority's service is, and the way to it.

import type { Proxy } from '../network/index.js';

export interface Endpoint {
  /** `host:port` of the authority's service. */
  readonly address: string;
  /** Name in its certificate, when it is not the host of the address. */
  readonly serverName?: string | undefined;
  readonly proxy?: Proxy | undefined;
}
