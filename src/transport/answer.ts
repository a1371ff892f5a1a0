// From a handler to gRPC's callbacks, once for each kind of call. Messages are raw bytes up to here, so that what does not parse is
// refused by us, with a code, and not by gRPC as an internal error.

import type {
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerReadableStream,
} from '@grpc/grpc-js';
import type { AdmittedCall, Gate, ReportInternal } from './gate.js';
import type { ServerLimits } from './limits.js';
import { CHUNKS_IN_FLIGHT } from './limits.js';
import { Sender } from './sender.js';
import { toStatus } from './status.js';
import { cancelled, pull } from './waiting.js';

export interface Serving {
  readonly gate: Gate;
  readonly limits: ServerLimits;
  readonly report: ReportInternal;
}

type Handle<Input, Output> = (call: AdmittedCall, input: Input) => Output;

export function answerUnary(
  { gate, report }: Serving,
  handle: Handle<Buffer, Promise<Buffer>>,
): handleUnaryCall<Buffer, Buffer> {
  return ({ metadata, request }, callback) => {
    const call = gate.admitted(metadata);
    promised(() => handle(call, request)).then(
      (answer) => {
        callback(null, answer);
      },
      (error: unknown) => {
        callback(statusFor(call, error, report));
      },
    );
  };
}

export function answerUpload(
  { gate, limits, report }: Serving,
  handle: Handle<AsyncIterable<Buffer>, Promise<Buffer>>,
): handleClientStreamingCall<Buffer, Buffer> {
  return (stream, callback) => {
    const call = gate.admitted(stream.metadata);
    // Whatever breaks the stream is met by whoever reads it.
    stream.on('error', () => undefined);
    promised(() => handle(call, received(stream, call, limits.stallMs))).then(
      (answer) => {
        callback(null, answer);
      },
      (error: unknown) => {
        callback(statusFor(call, error, report));
      },
    );
  };
}

/** The messages of an upload, one at a time: gRPC may read on when the one before was used up. */
async function* received(
  stream: ServerReadableStream<Buffer, Buffer>,
  call: AdmittedCall,
  stallMs: number,
): AsyncGenerator<Buffer, void, undefined> {
  const { signal, pace } = call;
  // Readable is typed as yielding `any`; this service's deserialiser leaves messages as they came.
  const messages = stream as AsyncIterable<Buffer>;
  try {
    for await (const message of pull(messages, { signal, ms: stallMs, what: 'the upload' })) {
      yield message;
      pace.release();
    }
  } catch (error) {
    // Node's word for a stream that was cut is no one's fault here.
    throw signal.aborted ? cancelled() : error;
  }
  if (signal.aborted) throw cancelled();
}

export interface Heartbeat {
  readonly everyMs: number;
  readonly message: Buffer;
}

export function answerStream(
  { gate, limits, report }: Serving,
  handle: Handle<Buffer, AsyncIterable<Buffer>>,
  heartbeat?: Heartbeat,
): handleServerStreamingCall<Buffer, Buffer> {
  return (stream) => {
    const call = gate.admitted(stream.metadata);
    const { signal } = call;
    const bounds = { signal, ms: limits.stallMs, what: 'the reader' };
    const sender = new Sender(stream, CHUNKS_IN_FLIGHT);
    let quiet = false;
    const pulse = (message: Buffer): void => {
      try {
        call.check();
      } catch (error) {
        call.end(error);
        return;
      }
      // It is ready, so nothing is waited for.
      if (quiet && sender.ready) void sender.send(message, bounds);
      quiet = true;
    };
    const timer = heartbeat && setInterval(pulse, heartbeat.everyMs, heartbeat.message);
    const run = async (): Promise<void> => {
      for await (const message of pull(handle(call, stream.request), { signal, what: 'the answer' })) {
        call.check();
        quiet = false;
        await sender.send(message, bounds);
      }
    };
    run()
      .then(
        () => stream.end(),
        (error: unknown) => {
          const refusal = statusFor(call, error, report);
          // A call that is over has had its status.
          if (!signal.aborted) stream.emit('error', Object.assign(new Error('refused'), refusal));
        },
      )
      .finally(() => {
        clearInterval(timer);
      });
  };
}

/** A handler may throw before it returns its promise. */
async function promised<T>(run: () => Promise<T>): Promise<T> {
  return run();
}

function statusFor(
  { path, signal }: AdmittedCall,
  error: unknown,
  report: ReportInternal,
): ReturnType<typeof toStatus> {
  return toStatus(error, (internal) => {
    // A handler that trips over a caller who left has no fault to report.
    if (!signal.aborted) report(internal, path);
  });
}
