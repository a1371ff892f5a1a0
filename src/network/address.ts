// `host:port`, as configurations write it.

export interface HostPort {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
}

/** Of an address that the configuration has checked. */
export function splitAddress(address: string): HostPort {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
