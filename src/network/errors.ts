// What can be wrong on the way to the other side, before TLS begins.

import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const NETWORK_ERRORS = defineErrors({
  'network/unknown-host': 'A host name has no address: check its spelling, and the DNS server of this machine.',
  'network/unreachable': 'No TCP connection comes about: check address, port, and the firewall’s rule for it.',
  'network/proxy-unreachable': 'The HTTP proxy of the configuration cannot be reached: check proxy.address.',
  'network/proxy-credentials':
    'The HTTP proxy wants other credentials: put user:password into the file that proxy.credentials names.',
  'network/proxy-refused':
    'The HTTP proxy does not let this connection through: ask whoever runs it to allow CONNECT to the host and port that the message names.',
});

export type NetworkErrorCode = keyof typeof NETWORK_ERRORS;

export class NetworkError extends CodedError<NetworkErrorCode> {
  override readonly name = 'NetworkError';

  constructor(code: NetworkErrorCode, message: string, context: Omit<ErrorContext, 'category'> = {}) {
    super(code, message, { remedy: NETWORK_ERRORS[code], ...context, category: 'unavailable' });
  }
}
