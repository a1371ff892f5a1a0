// A directive of the coordinator as an event of the state machine: large parts are fetched, fresh randomness is drawn. Nothing is judged here.

import { concat, type Rng } from '../src/base/index.js';
import type { SiloEvent } from '../src/protocol/index.js';
import type { SiloClient } from '../src/transport/index.js';
import { decode, HeaderBundle, RoundTranscript, WireError, type BlobRef, type Directive } from '../src/wire/index.js';

/** Headers of 200 dealers are 5.2 MB, a transcript has them and little more. */
const BUNDLE_BYTES = 16 * 1024 * 1024;

const SECRET_BYTES = 32;

/** Undefined for a directive that asks for nothing. Throws WireError, TransportError. */
export async function eventOf(
  { body }: Directive,
  client: Pick<SiloClient, 'getBlob'>,
  rng: Rng,
  signal: AbortSignal,
): Promise<SiloEvent | undefined> {
  switch (body?.$case) {
    case 'jobOffer':
      return { $case: 'jobOffered', value: { manifest: body.value.manifest } };
    case 'start': {
      const value = { ...body.value, rho: rng.bytes(SECRET_BYTES), roundSecret: rng.bytes(SECRET_BYTES) };
      return { $case: 'attemptStarted', value };
    }
    case 'keys':
      return { $case: 'keysReceived', value: body.value };
    case 'shares': {
      const { headers } = decode(
        HeaderBundle,
        'header bundle',
        await fetchSmall(client, body.value.headers, signal),
        BUNDLE_BYTES,
      );
      return { $case: 'sharesReceived', value: { ...body.value, headers } };
    }
    case 'complaint':
      return { $case: 'complaintReceived', value: body.value };
    case 'sharesClosed':
      return { $case: 'sharesClosed', value: body.value };
    case 'confirm':
      return { $case: 'confirmRequested', value: body.value };
    case 'unmask':
      return { $case: 'unmaskRequested', value: body.value };
    case 'result': {
      const bytes = await fetchSmall(client, body.value.transcript, signal);
      const transcript = decode(RoundTranscript, 'transcript', bytes, BUNDLE_BYTES);
      return { $case: 'resultReceived', value: { directive: body.value, transcript } };
    }
    case 'releaseQuery':
      return { $case: 'releaseQueried', value: body.value };
    case 'abandon':
      return { $case: 'abandoned', value: body.value };
    case 'jobClosed':
      return { $case: 'jobClosed', value: body.value };
    case 'rollback':
      return { $case: 'rolledBack', value: body.value };
    case 'roster':
      return { $case: 'rosterTaken', value: body.value };
    case 'rosterProposed':
      return { $case: 'rosterProposed', value: body.value };
    // Read before this is asked: see witness.ts.
    case 'checkpoint':
    case 'heartbeat':
    case undefined:
      return undefined;
  }
}

async function fetchSmall(
  client: Pick<SiloClient, 'getBlob'>,
  ref: BlobRef | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (ref === undefined || ref.size > BigInt(BUNDLE_BYTES))
    throw new WireError(
      'wire/too-large',
      `an object of at most ${String(BUNDLE_BYTES)} bytes was expected, ${ref === undefined ? 'none' : `one of ${String(ref.size)}`} was named.`,
    );
  const parts: Uint8Array[] = [];
  for await (const part of client.getBlob(ref, signal)) parts.push(part.slice());
  return concat(...parts);
}
