// The agent's end of Watch: one stream after another for as long as the agent lives, directives strictly in turn.

import type { CodedError } from '../base/index.js';
import { demandSameProtocol, PROTOCOL_VERSION } from '../protocol/index.js';
import { Directive } from '../wire/index.js';
import type { Channel } from './channel.js';
import { TransportError } from './errors.js';
import { decodeMessage, encodeMessage, SILO_METHODS } from './methods.js';
import type { RetryOptions } from './retry.js';
import { Tries } from './retry.js';
import { isCoded } from './status.js';

export interface WatchOptions {
  readonly channel: Channel;
  readonly retry: RetryOptions;
  readonly agentVersion: string;
  readonly silenceMs: number;
  /** Told of each break, before the wait; a refusal for good (a revoked certificate) looks like any other and is tried again. */
  readonly onBreak: (error: CodedError) => void;
}

/** Resolves on abort; rejects with what `cursor` or `onDirective` throw. */
export async function watchForEver(
  options: WatchOptions,
  cursor: () => bigint,
  onDirective: (directive: Directive) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { retry, onBreak } = options;
  const tries = new Tries(retry);
  while (!signal.aborted) {
    const directives = streamOnce(options, cursor(), signal);
    try {
      for (let next = await nextOf(directives); ; next = await nextOf(directives)) {
        if (isCoded(next)) {
          if (!isAborted(signal)) onBreak(next);
          break;
        }
        tries.progressed();
        // While this runs nothing is read: the connection's window, not our memory, holds what comes.
        if (next.body?.$case !== 'heartbeat') await onDirective(next);
        if (isAborted(signal)) return;
      }
    } finally {
      await directives.return();
    }
    await tries.pause(signal);
  }
}

/** A stream that ends by itself has broken off like any other: a watch has no end. */
async function nextOf(directives: AsyncGenerator<Directive, void, undefined>): Promise<Directive | CodedError> {
  try {
    const next = await directives.next();
    if (next.done !== true) return next.value;
    return new TransportError('transport/closing', 'the coordinator ended the stream.');
  } catch (error) {
    if (isCoded(error)) return error;
    throw error;
  }
}

async function* streamOnce(
  { channel, agentVersion, silenceMs }: WatchOptions,
  cursor: bigint,
  signal: AbortSignal,
): AsyncGenerator<Directive, void, undefined> {
  const { path, definition } = SILO_METHODS.watch;
  const request = encodeMessage(definition.requestType, {
    cursor,
    agentVersion,
    protocolVersion: PROTOCOL_VERSION,
  });
  for await (const bytes of channel.stream(path, request, signal, silenceMs)) {
    const directive = decodeMessage(Directive, bytes, path);
    // Comes before everything else: what a coordinator of another version says is not acted upon.
    if (directive.body?.$case === 'heartbeat') demandSameProtocol(directive.body.value.protocolVersion, 'coordinator');
    yield directive;
  }
}

/** A call, because the compiler takes a property it has seen once for settled. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
