// What can go wrong between two ends of a connection. What a handler refuses keeps its own room's code across the wire; these are the
// transport's own.

import type { ErrorCategory, ErrorContext } from '../base/index.js';
import { CodedError, defineErrors } from '../base/index.js';

export const TRANSPORT_ERRORS = defineErrors({
  'transport/no-certificate': 'The peer showed no certificate that the consortium’s authority has signed.',
  'transport/wrong-role':
    'The certificate names a member whose role may not call this method: use the right certificate.',
  'transport/not-annotated': 'A method names no role that may call it, so nobody may: a build error, report it.',
  'transport/wrong-server':
    'The server’s certificate is not the coordinator’s of this consortium: check the address, and who answers there.',
  'transport/too-large': 'A message or chunk is larger than its named limit.',
  'transport/too-many-calls': 'One identity has too many calls under way: wait for some to end.',
  'transport/too-many-connections': 'One identity holds too many connections: close some.',
  'transport/limit': 'The peer refused because a limit was reached.',
  'transport/malformed': 'Bytes do not parse as the message this method takes: the peer runs other software.',
  'transport/bad-upload': 'An upload’s chunks are not in the form that was agreed: the peer runs other software.',
  'transport/upload-past-end':
    'The coordinator has more bytes of an upload than it has: another process used the same round and attempt.',
  'transport/blob-size':
    'A fetched object is longer or shorter than announced: the peer or its disk is damaged, or it cheats.',
  'transport/blob-hash':
    'A fetched object does not have the announced SHA-256: the peer or its disk is damaged, or it cheats.',
  'transport/unreachable': 'No connection to the coordinator: check address, network, proxy and firewall.',
  'transport/broken': 'The connection broke before the answer came.',
  'transport/deadline': 'The answer did not come in time.',
  'transport/silent': 'A stream stood still for longer than its limit.',
  'transport/closing': 'The coordinator is shutting down or the call’s time is over: connect again.',
  'transport/cancelled': 'The caller gave up.',
  'transport/unimplemented': 'The server does not know this method: it runs an older version.',
  'transport/refused': 'The peer refused without saying why: it runs other software, or a proxy answered in its place.',
  'transport/internal': 'The other end failed by itself; its operator’s log says why.',
  'transport/no-address': 'The listening address could not be bound: it is in use, or not of this machine.',
  'transport/unknown-grpc':
    'The installed @grpc/grpc-js is not the one this was written for: run npm ci with the committed lock file.',
});

export type TransportErrorCode = keyof typeof TRANSPORT_ERRORS;

const CATEGORY: Readonly<Record<TransportErrorCode, ErrorCategory>> = {
  'transport/no-certificate': 'identity',
  'transport/wrong-role': 'membership',
  'transport/not-annotated': 'membership',
  'transport/wrong-server': 'identity',
  'transport/too-large': 'limit',
  'transport/too-many-calls': 'limit',
  'transport/too-many-connections': 'limit',
  'transport/limit': 'limit',
  'transport/malformed': 'content',
  'transport/bad-upload': 'content',
  'transport/upload-past-end': 'content',
  'transport/blob-size': 'content',
  'transport/blob-hash': 'content',
  'transport/unreachable': 'unavailable',
  'transport/broken': 'unavailable',
  'transport/deadline': 'unavailable',
  'transport/silent': 'unavailable',
  'transport/closing': 'unavailable',
  'transport/cancelled': 'unavailable',
  'transport/unimplemented': 'missing',
  'transport/refused': 'content',
  'transport/internal': 'internal',
  'transport/no-address': 'internal',
  'transport/unknown-grpc': 'internal',
};

export class TransportError extends CodedError<TransportErrorCode> {
  override readonly name = 'TransportError';

  constructor(code: TransportErrorCode, message: string, context: Omit<ErrorContext, 'category'> = {}) {
    super(code, message, { remedy: TRANSPORT_ERRORS[code], ...context, category: CATEGORY[code] });
  }
}
