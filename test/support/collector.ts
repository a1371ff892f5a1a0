// A collector of OpenTelemetry traces, small enough for a test: it takes OTLP over HTTP and keeps what spans say.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface CollectedSpan {
  readonly service: string;
  /** What its program says of itself. */
  readonly resource: Readonly<Record<string, string>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Everything that came, for looking into. */
  readonly bodies: readonly Buffer[];
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      bodies.push(body);
      spans.push(...spansIn(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    spans,
    bodies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Fields of a message by number; numbers as text. */
function fieldsOf(bytes: Uint8Array): Map<number, (Uint8Array | string)[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | string)[]>();
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (wire === WireType.LengthDelimited) values.push(reader.bytes());
    else if (wire === WireType.Varint) values.push(String(reader.uint64()));
    else values.push(String(wire === WireType.Bit64 ? reader.fixed64() : reader.fixed32()));
  }
  return fields;
}

const bytesOf = (fields: Map<number, (Uint8Array | string)[]>, number: number): Uint8Array[] =>
  (fields.get(number) ?? []).filter((one): one is Uint8Array => typeof one !== 'string');
const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** KeyValue: key and AnyValue, of which texts and whole numbers are read. */
function attributesOf(all: readonly Uint8Array[]): Record<string, string> {
  return Object.fromEntries(
    all.map((bytes) => {
      const pair = fieldsOf(bytes);
      const value = fieldsOf(bytesOf(pair, 2)[0] ?? new Uint8Array());
      const [text] = bytesOf(value, 1);
      return [textOf(bytesOf(pair, 1)[0]), text === undefined ? String(value.get(3)?.[0] ?? '') : textOf(text)];
    }),
  );
}

/** ExportTraceServiceRequest of opentelemetry-proto. */
function spansIn(body: Uint8Array): CollectedSpan[] {
  return bytesOf(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const resource = fieldsOf(bytesOf(fieldsOf(resourceSpans), 1)[0] ?? new Uint8Array());
    const ofProgram = attributesOf(bytesOf(resource, 1));
    return bytesOf(fieldsOf(resourceSpans), 2).flatMap((scopeSpans) =>
      bytesOf(fieldsOf(scopeSpans), 2).map((bytes) => {
        const span = fieldsOf(bytes);
        return {
          service: ofProgram['service.name'] ?? '',
          resource: ofProgram,
          traceId: hexOf(bytesOf(span, 1)[0]),
          spanId: hexOf(bytesOf(span, 2)[0]),
          parentId: hexOf(bytesOf(span, 4)[0]),
          name: textOf(bytesOf(span, 5)[0]),
          attributes: attributesOf(bytesOf(span, 9)),
        };
      }),
    );
  });
}
