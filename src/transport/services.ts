// The two services as gRPC wants them: each method's bytes to its handler's types, and back.

import type { MethodDefinition as GrpcMethod, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { SiloId } from '../base/index.js';
import { asSiloId, invariant, LIMITS } from '../base/index.js';
import { PROTOCOL_VERSION } from '../protocol/index.js';
import { Directive, type MessageType, type UploadTarget } from '../wire/index.js';
import type { Serving } from './answer.js';
import { answerStream, answerUnary, answerUpload } from './answer.js';
import { decodeData, decodeUploadChunk, encodeData } from './bulk-codec.js';
import { TransportError } from './errors.js';
import type { AdmittedCall } from './gate.js';
import type { AdminCaller, AdminHandlers, SiloHandlers } from './handlers.js';
import { inChunks } from './chunks.js';
import type { Method } from './methods.js';
import { ADMIN_METHODS, decodeMessage, encodeMessage, SILO_METHODS } from './methods.js';

export type RawService = Readonly<Record<string, GrpcMethod<Buffer, Buffer>>>;

const asIs = (bytes: Buffer): Buffer => bytes;

/** gRPC's view of methods whose messages it leaves alone. */
export function rawService(methods: Readonly<Record<string, Method<unknown, unknown>>>): RawService {
  return Object.fromEntries(
    Object.entries(methods).map(([name, { path, definition }]) => [
      name,
      {
        path,
        requestStream: definition.requestStream,
        responseStream: definition.responseStream,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  );
}

export function siloImplementation(serving: Serving, handlers: SiloHandlers): UntypedServiceImplementation {
  const { watch, submit, uploadStatus, getBlob, readLog, proveLog } = SILO_METHODS;
  const heartbeat = {
    everyMs: serving.limits.heartbeatMs,
    message: encodeMessage(Directive, {
      sequence: 0n,
      body: { $case: 'heartbeat', value: { protocolVersion: PROTOCOL_VERSION } },
    }),
  };
  return {
    watch: answerStream(
      serving,
      (call, bytes) =>
        encoded(
          watch.definition.responseType,
          handlers.watch(siloOf(call), requestOf(watch, bytes), call.signal, call.peer),
        ),
      heartbeat,
    ),
    submit: unary(serving, submit, (call, request) => handlers.submit(siloOf(call), request)),
    uploadMasked: answerUpload(serving, async (call, messages) => {
      const { target, chunks } = await openUpload(messages);
      return encodeMessage(
        SILO_METHODS.uploadMasked.definition.responseType,
        await handlers.uploadMasked(siloOf(call), target, chunks),
      );
    }),
    uploadStatus: unary(serving, uploadStatus, (call, request) => handlers.uploadStatus(siloOf(call), request)),
    getBlob: answerStream(serving, (call, bytes) => inData(handlers.getBlob(siloOf(call), requestOf(getBlob, bytes)))),
    readLog: answerStream(serving, (call, bytes) => inData(handlers.readLog(siloOf(call), requestOf(readLog, bytes)))),
    proveLog: unary(serving, proveLog, (call, request) => handlers.proveLog(siloOf(call), request)),
  };
}

type AnyHandler = (caller: AdminCaller, request: unknown, signal: AbortSignal) => unknown;

/** Methods are served by their kind: whoever adds one to the .proto adds its handler and nothing here. */
export function adminImplementation(serving: Serving, handlers: AdminHandlers): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(ADMIN_METHODS).map(([name, method]) => {
      // AdminHandlers has a handler for each method under its name, with the types of its definition.
      const handle = (handlers as unknown as Record<string, AnyHandler>)[name];
      invariant(handle !== undefined, `AdminService.${name} has a handler`);
      return [name, answerAdmin(serving, method, handle.bind(handlers))];
    }),
  );
}

function answerAdmin(serving: Serving, method: Method<unknown, unknown>, handle: AnyHandler) {
  const { requestType, responseType } = method.definition;
  const asked = (call: AdmittedCall, bytes: Buffer): unknown =>
    handle(adminOf(call), decodeMessage(requestType, bytes, method.path), call.signal);
  switch (method.kind) {
    case 'unary':
      return answerUnary(serving, async (call, bytes) => encodeMessage(responseType, await asked(call, bytes)));
    case 'upload':
      return answerUpload(serving, async (call, messages) =>
        encodeMessage(responseType, await handle(adminOf(call), dataOf(messages), call.signal)),
      );
    case 'watch':
      return answerStream(serving, (call, bytes) =>
        encoded(responseType, asked(call, bytes) as AsyncIterable<unknown>),
      );
    case 'download':
      return answerStream(serving, (call, bytes) => inData(asked(call, bytes) as AsyncIterable<Uint8Array>));
  }
}

function unary<Request, Response>(
  serving: Serving,
  method: Method<Request, Response>,
  handle: (call: AdmittedCall, request: Request) => Promise<Response>,
) {
  return answerUnary(serving, async (call, bytes) =>
    encodeMessage(method.definition.responseType, await handle(call, requestOf(method, bytes))),
  );
}

function requestOf<Request>(method: Method<Request, unknown>, bytes: Buffer): Request {
  return decodeMessage(method.definition.requestType, bytes, method.path);
}

function siloOf({ peer }: AdmittedCall): SiloId {
  const id = peer.role === 'silo' ? asSiloId(peer.id) : undefined;
  invariant(id !== undefined, 'the gate let somebody else into SiloService');
  return id;
}

function adminOf({ peer: { role, id } }: AdmittedCall): AdminCaller {
  invariant(role === 'operator' || role === 'auditor', 'the gate let somebody else into AdminService');
  return { role, id };
}

async function* encoded<Response>(
  type: MessageType<Response>,
  items: AsyncIterable<Response>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const item of items) yield encodeMessage(type, item);
}

async function* inData(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of inChunks(pieces)) yield encodeData(chunk);
}

async function* dataOf(messages: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const message of messages) yield checkedChunk(decodeData(message));
}

/** The first message says where the bytes belong; all the others are bytes alone. */
async function openUpload(
  messages: AsyncIterable<Buffer>,
): Promise<{ target: UploadTarget; chunks: AsyncIterable<Uint8Array> }> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw new TransportError('transport/bad-upload', 'an upload without a single message.');
  const { target, data } = decodeUploadChunk(first.value);
  if (target === undefined)
    throw new TransportError('transport/bad-upload', 'the first message of an upload names no target.');
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (data.length > 0) yield checkedChunk(data);
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        const chunk = decodeUploadChunk(next.value);
        if (chunk.target !== undefined)
          throw new TransportError('transport/bad-upload', 'a target in the middle of an upload.');
        yield checkedChunk(chunk.data);
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { target, chunks: chunks() };
}

function checkedChunk(data: Uint8Array): Uint8Array {
  if (data.length === 0) throw new TransportError('transport/bad-upload', 'an empty chunk.');
  if (data.length > LIMITS.chunkBytes)
    throw new TransportError(
      'transport/too-large',
      `a chunk may have ${String(LIMITS.chunkBytes)} bytes, this one has ${String(data.length)}.`,
    );
  return data;
}
