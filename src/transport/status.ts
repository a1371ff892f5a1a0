// Errors across the wire, in the one place that knows gRPC status. A thrown CodedError becomes a status by its category, with its stable
// code and remedy in the trailing metadata, and becomes a CodedError with the same code and category at the other end.

import type { ServiceError, StatusObject } from '@grpc/grpc-js';
import { Metadata, status } from '@grpc/grpc-js';
import type { ErrorCategory } from '../base/index.js';
import { CodedError } from '../base/index.js';
import { encode, RpcErrorInfo, RpcStatus } from '../wire/index.js';
import { TransportError } from './errors.js';
import { ERROR_TEXT_CHARACTERS } from './limits.js';

const STATUS: Readonly<Record<ErrorCategory, status>> = {
  state: status.FAILED_PRECONDITION,
  content: status.INVALID_ARGUMENT,
  membership: status.PERMISSION_DENIED,
  identity: status.UNAUTHENTICATED,
  limit: status.RESOURCE_EXHAUSTED,
  missing: status.NOT_FOUND,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
};

const CODE_KEY = 'veilsum-code';
const REMEDY_KEY = 'veilsum-remedy';
/** Where gRPC libraries of other languages look for more than a number and a text. */
const DETAILS_KEY = 'grpc-status-details-bin';
const DOMAIN = 'veilsum';
const CODE = /^[a-z][a-z0-9-]{0,31}\/[a-z][a-z0-9-]{0,63}$/;

/** What the peer is told. `onInternal` gets what it is not told: errors of category internal, and whatever is no CodedError. */
export function toStatus(error: unknown, onInternal: (error: unknown) => void): StatusObject {
  if (!isCoded(error) || error.category === 'internal') {
    onInternal(error);
    return statusOf(status.INTERNAL, 'transport/internal', 'internal error', undefined);
  }
  return statusOf(STATUS[error.category], error.code, error.message, error.remedy);
}

function statusOf(code: status, stable: string, text: string, remedy: string | undefined): StatusObject {
  const metadata = new Metadata();
  metadata.set(CODE_KEY, stable);
  // Header values are ASCII, remedies are prose: percent-encoded, as gRPC does with its own message.
  if (remedy !== undefined) metadata.set(REMEDY_KEY, encodeURIComponent(clip(remedy)));
  metadata.set(DETAILS_KEY, detailsOf(code, stable, clip(text), remedy));
  return { code, details: clip(text), metadata };
}

/** google.rpc.Status with an ErrorInfo, for clients that know nothing of our own trailers. */
function detailsOf(code: status, stable: string, message: string, remedy: string | undefined): Buffer {
  const info = encode(RpcErrorInfo, {
    reason: stable.toUpperCase().replace(/[^A-Z0-9]/g, '_'),
    domain: DOMAIN,
    metadata: { code: stable, ...(remedy === undefined ? {} : { remedy: clip(remedy) }) },
  });
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: info }];
  return Buffer.from(encode(RpcStatus, { code, message, details }));
}

/** Half a surrogate pair, which clipping can leave and a peer can plant, makes encodeURI throw. */
function clip(text: string): string {
  return text
    .slice(0, ERROR_TEXT_CHARACTERS)
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '?');
}

/** What a call to the peer failed with; `what` names the call in messages. Anything but a gRPC error passes through. */
export function fromServiceError(error: unknown, what: string): unknown {
  if (!isServiceError(error)) return error;
  const stable = single(error.metadata, CODE_KEY);
  const category = categoryOf(error.code);
  // A status without our code comes from gRPC itself, from the network, or from something that stands in the coordinator's place.
  if (stable === undefined || !CODE.test(stable) || category === undefined) return foreign(error, what);
  const remedy = single(error.metadata, REMEDY_KEY);
  return new CodedError(stable, error.details, {
    category,
    ...(remedy === undefined ? {} : { remedy: decoded(remedy) }),
  });
}

function foreign(error: ServiceError, what: string): TransportError {
  const text = `${what}: ${error.details}`;
  switch (error.code) {
    case status.UNAVAILABLE:
      return new TransportError('transport/unreachable', text);
    case status.DEADLINE_EXCEEDED:
      return new TransportError('transport/deadline', text);
    case status.RESOURCE_EXHAUSTED:
      return new TransportError('transport/limit', text);
    case status.UNIMPLEMENTED:
      return new TransportError('transport/unimplemented', text);
    case status.CANCELLED:
    case status.INTERNAL:
    case status.UNKNOWN:
      // How grpc-js reports a reset stream or a connection that went away under a call.
      return new TransportError('transport/broken', text);
    case status.OK:
    case status.INVALID_ARGUMENT:
    case status.NOT_FOUND:
    case status.ALREADY_EXISTS:
    case status.PERMISSION_DENIED:
    case status.FAILED_PRECONDITION:
    case status.ABORTED:
    case status.OUT_OF_RANGE:
    case status.DATA_LOSS:
    case status.UNAUTHENTICATED:
      return new TransportError('transport/refused', text);
  }
}

function categoryOf(code: status): ErrorCategory | undefined {
  // The keys of STATUS are exactly the categories.
  for (const [category, of] of Object.entries(STATUS)) if (of === code) return category as ErrorCategory;
  return undefined;
}

/** Plain `instanceof` would make the code's type `any`. */
export function isCoded(error: unknown): error is CodedError {
  return error instanceof CodedError;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'metadata' in error;
}

function single(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? value : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
