// What a coordinator that does not lead asks of the one that does, and the answers. Both go through the database: no port, certificate or
// role is needed for it, and an answer is written under the lease, so that none rests on a state that is no longer the newest.

import { isCodedError, type ErrorCategory } from '../../src/base/index.js';
import type { CoordinatorEvent } from '../../src/protocol/index.js';
import { RECORD_BYTES_MAX } from '../../src/storage/index.js';
import {
  decode,
  encode,
  ForwardedAnswer,
  ForwardedRequest,
  type ActRecord,
  type Envelope,
  type ForwardedDone,
} from '../../src/wire/index.js';
import { CoordinatorError } from '../errors.js';
import { Refused } from '../refused.js';
import type { ReadUpload } from '../peers.js';
import type { CoordinatorService } from '../service.js';

const VERSION = 1;
/** A record and what is around it. */
const BODY_BYTES = 2 * RECORD_BYTES_MAX;
const CATEGORIES: ReadonlySet<string> = new Set<ErrorCategory>([
  'state',
  'content',
  'membership',
  'identity',
  'limit',
  'missing',
  'unavailable',
  'internal',
]);

export function eventRequest(event: CoordinatorEvent, upload: ReadUpload | undefined): Uint8Array {
  const value = { version: VERSION, atUnixMs: 0n, emitted: [], event };
  return encode(ForwardedRequest, { version: VERSION, body: { $case: 'event', value }, upload });
}

export function actRequest(record: ActRecord): Uint8Array {
  return encode(ForwardedRequest, { version: VERSION, body: { $case: 'act', value: record }, upload: undefined });
}

/** At the one that leads. Never throws: what was refused is the answer. Undefined where an answer would be a guess. */
export async function answerOf(service: CoordinatorService, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const { version, body, upload } = decode(ForwardedRequest, 'forwarded request', bytes, BODY_BYTES);
    if (version !== VERSION) throw notLeading('the coordinators are of different versions.');
    let receipt: Envelope | undefined;
    let written = false;
    if (body?.$case === 'event' && body.value.event !== undefined)
      receipt = await service.feed(body.value.event, upload);
    else if (body?.$case === 'act') written = await service.keepAct(body.value);
    const value: ForwardedDone = { receipt, records: BigInt(service.records), written };
    return encode(ForwardedAnswer, { body: { $case: 'done', value } });
  } catch (error) {
    // Ours: whoever asked gets no answer, and its silo asks again.
    if (!isCodedError(error) || error.category === 'internal') return undefined;
    const { code, message: detail, category } = error;
    return encode(ForwardedAnswer, { body: { $case: 'refusal', value: { code, detail, category } } });
  }
}

/** At the one that asked. Throws what the leader refused with. */
export function readAnswer(bytes: Uint8Array): ForwardedDone {
  const { body } = decode(ForwardedAnswer, 'forwarded answer', bytes, BODY_BYTES);
  if (body?.$case === 'done') return body.value;
  if (body === undefined) throw notLeading('the answer of the coordinator that leads is empty.');
  const { code, detail, category } = body.value;
  // Codes of the protocol, as the leader's own state machine gave them.
  const refused = { code, detail, category: isCategory(category) ? category : 'internal' };
  throw new Refused(refused);
}

export function notLeading(what: string): CoordinatorError {
  return new CoordinatorError('coordinator/not-leading', what, { category: 'unavailable' });
}

function isCategory(text: string): text is ErrorCategory {
  return CATEGORIES.has(text);
}
