// gRPC server reflection, v1 and v1alpha (the same messages under two names): what tools like grpcurl ask before they call. For operators
// and auditors; it tells nothing that does not stand in the repository.

import type { handleBidiStreamingCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { ReflectionRequest, ReflectionResponse } from '../wire/index.js';
import type { Serving } from './answer.js';
import { COMPILED_FILES, type CompiledFile } from './gen/descriptors.js';
import { CHUNKS_IN_FLIGHT } from './limits.js';
import { decodeMessage, encodeMessage, REFLECTION } from './methods.js';
import { Sender } from './sender.js';
import type { RawService } from './services.js';
import { toStatus } from './status.js';
import { pull } from './waiting.js';

type Answer = NonNullable<ReflectionResponse['answer']>;

const BY_NAME: ReadonlyMap<string, CompiledFile> = new Map(COMPILED_FILES.map((file) => [file.name, file]));
const BY_SYMBOL: ReadonlyMap<string, CompiledFile> = new Map(
  COMPILED_FILES.flatMap((file) => file.symbols.map((symbol) => [symbol, file] as const)),
);

export function answerReflection({ ask }: ReflectionRequest): Answer {
  switch (ask?.$case) {
    case 'listServices':
      return {
        $case: 'services',
        value: { service: COMPILED_FILES.flatMap(({ services }) => services.map((name) => ({ name }))) },
      };
    case 'fileByFilename':
      return filesFrom(BY_NAME.get(ask.value), ask.value);
    case 'fileContainingSymbol':
      return filesFrom(BY_SYMBOL.get(ask.value), ask.value);
    case 'fileContainingExtension':
      return missing('extensions are not looked up: ask for the file of the service.');
    case 'allExtensionNumbersOfType':
      return { $case: 'extensionNumbers', value: { baseTypeName: ask.value, extensionNumber: [] } };
    case undefined:
      return { $case: 'error', value: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'nothing was asked.' } };
  }
}

/** A file with everything that it imports, itself first. */
function filesFrom(file: CompiledFile | undefined, asked: string): Answer {
  if (file === undefined) return missing(`there is no "${asked.slice(0, 200)}" here.`);
  const found = new Set<CompiledFile>([file]);
  for (const one of found)
    for (const name of one.imports) {
      const imported = BY_NAME.get(name);
      if (imported !== undefined) found.add(imported);
    }
  const bytes = [...found].map(({ base64 }) => Uint8Array.from(Buffer.from(base64, 'base64')));
  return { $case: 'files', value: { fileDescriptorProto: bytes } };
}

function missing(errorMessage: string): Answer {
  return { $case: 'error', value: { errorCode: status.NOT_FOUND, errorMessage } };
}

const asIs = (bytes: Buffer): Buffer => bytes;

export function reflectionServices(): RawService[] {
  return REFLECTION.map(({ path }) => ({
    ServerReflectionInfo: {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  }));
}

export function reflectionImplementation({ gate, limits, report }: Serving): UntypedServiceImplementation {
  const handle: handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
    const { signal, pace, path } = gate.admitted(stream.metadata);
    const sender = new Sender(stream, CHUNKS_IN_FLIGHT);
    stream.on('error', () => undefined);
    const run = async (): Promise<void> => {
      // Readable is typed as yielding `any`; this service's deserialiser leaves messages as they came.
      // Left as it is at its end: destroyed, it could not be answered any more.
      const requests = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const bytes of pull(requests, { signal, ms: limits.stallMs, what: 'the question' })) {
        const request = decodeMessage(ReflectionRequest, bytes, path);
        const answer = { validHost: request.host, originalRequest: request, answer: answerReflection(request) };
        await sender.send(encodeMessage(ReflectionResponse, answer), {
          signal,
          ms: limits.stallMs,
          what: 'the reader',
        });
        pace.release();
      }
    };
    run().then(
      () => stream.end(),
      (error: unknown) => {
        if (signal.aborted) return;
        const refusal = toStatus(error, (internal) => {
          report(internal, path);
        });
        stream.emit('error', Object.assign(new Error('refused'), refusal));
      },
    );
  };
  return { ServerReflectionInfo: handle };
}
