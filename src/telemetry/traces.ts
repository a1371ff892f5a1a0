// Traces for OpenTelemetry, where the configuration names a collector: each round is one trace across coordinator and agents, with a span for
// each phase. Like the metrics they follow from what is logged, and of its fields only those on the list below enter a trace. The coordinator
// adds a span for each call of a silo that came with a traceparent: which call it was, and of which silo. The packages are loaded only here and
// only then.

import { createHash, randomBytes } from 'node:crypto';
import type * as Api from '@opentelemetry/api';
import type { EventName } from './events.js';
import type { Fields, Log } from './log.js';

export interface TraceOptions {
  readonly program: 'agent' | 'coordinator';
  readonly version: string;
  readonly consortium: string;
  /** The agent's. */
  readonly silo?: string | undefined;
  /** OTLP over HTTP, e.g. http://collector:4318/v1/traces. */
  readonly endpoint: string;
}

/** What a span may say, by the field of the log that it comes from. Sentences (`detail`, `reason`) are not among them. */
export const TRACE_ATTRIBUTES = {
  job: 'veilsum.job',
  round: 'veilsum.round',
  attempt: 'veilsum.attempt',
  phase: 'veilsum.phase',
  silo: 'veilsum.silo',
  code: 'veilsum.code',
  cohort: 'veilsum.cohort',
  survivors: 'veilsum.survivors',
  ending: 'veilsum.ending',
  steps: 'veilsum.steps',
} as const satisfies Readonly<Record<string, string>>;

/** What the span of a call says besides. */
export const CALL_ATTRIBUTES = {
  /** Always `grpc`. */
  system: 'rpc.system',
  method: 'rpc.method',
  /** The identity in the certificate of the silo that made it. */
  peer: 'veilsum.peer',
} as const satisfies Readonly<Record<string, string>>;

/** The agent's part of a round: each event ends one phase and begins the next. */
const AGENT_PHASES: Partial<Record<EventName, string>> = {
  'round.started': 'contribute',
  'round.contributed': 'upload',
  'round.uploaded': 'confirm',
  'round.signed': 'unmask',
  'round.released': 'verify',
};

interface OpenRound {
  readonly span: Api.Span;
  phase: Api.Span | undefined;
}

/** Rounds that a program traces at once: more than any has jobs. */
const OPEN_ROUNDS_MAX = 64;
/** What an export may take, and the end of a program may wait for the last one. */
const EXPORT_MS = 2_000;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

export class Traces {
  readonly #options: TraceOptions;
  readonly #api: typeof Api;
  readonly #tracer: Api.Tracer;
  readonly #shutdown: () => Promise<void>;
  readonly #ids: Ids;
  readonly #open = new Map<string, OpenRound>();

  private constructor(
    options: TraceOptions,
    api: typeof Api,
    parts: { readonly tracer: Api.Tracer; readonly ids: Ids; readonly shutdown: () => Promise<void> },
  ) {
    this.#options = options;
    this.#api = api;
    this.#tracer = parts.tracer;
    this.#ids = parts.ids;
    this.#shutdown = parts.shutdown;
  }

  static async start(options: TraceOptions): Promise<Traces> {
    const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
    ]);
    const { program, version, consortium, silo, endpoint } = options;
    const ids = new Ids();
    const provider = new sdk.NodeTracerProvider({
      idGenerator: ids,
      resource: resourceFromAttributes({
        'service.name': `veilsum-${program}`,
        'service.version': version,
        'veilsum.consortium': consortium,
        ...(silo === undefined ? {} : { 'veilsum.silo': silo }),
      }),
      spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_MS }))],
    });
    // A collector that is away costs its spans and nothing else.
    const shutdown = (): Promise<void> => {
      const sent = provider.shutdown().catch(() => undefined);
      return Promise.race([sent, new Promise<void>((resolve) => setTimeout(resolve, EXPORT_MS).unref())]);
    };
    return new Traces(options, api, { tracer: provider.getTracer('veilsum', version), ids, shutdown });
  }

  /** The same log, followed. */
  observing(log: Log): Log {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (event: EventName, fields: Fields = {}): void => {
        log[level](event, fields);
        this.#follow(event, fields);
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), flush: () => log.flush() };
  }

  /** W3C traceparent of the round that is open here, for calls to the other side; undefined between rounds. */
  readonly traceparent = (): string | undefined => {
    const last = [...this.#open.values()].at(-1);
    if (last === undefined) return undefined;
    const { traceId, spanId } = (last.phase ?? last.span).spanContext();
    return `00-${traceId}-${spanId}-01`;
  };

  /** A silo's call that came with a traceparent, as a span behind it. Returns what ends it. */
  readonly called = (path: string, peer: string, traceparent: string | undefined): (() => void) => {
    const parent = TRACEPARENT.exec(traceparent ?? '');
    if (parent === null) return () => undefined;
    const [, traceId = '', spanId = ''] = parent;
    const { system, method, peer: by } = CALL_ATTRIBUTES;
    const attributes = { [system]: 'grpc', [method]: path, [by]: peer };
    const span = this.#tracer.startSpan(
      path.slice(path.lastIndexOf('/') + 1),
      { kind: this.#api.SpanKind.SERVER, attributes },
      this.#under({ traceId, spanId }),
    );
    return () => {
      span.end();
    };
  };

  /** Sends what is left. */
  async close(): Promise<void> {
    for (const key of [...this.#open.keys()]) this.#end(key);
    await this.#shutdown();
  }

  #follow(event: EventName, fields: Fields): void {
    const { job, round } = fields;
    if (typeof job !== 'string' || typeof round !== 'number' || round < 1) return;
    const key = `${job}/${String(round)}`;
    if (event === 'round.phase') this.#enter(key, fields, String(fields['phase']));
    else if (event === 'round.closed' || event === 'round.verified') this.#end(key, fields);
    else {
      const phase = this.#options.program === 'agent' ? AGENT_PHASES[event] : undefined;
      if (phase !== undefined) this.#enter(key, fields, phase);
      else this.#open.get(key)?.span.addEvent(event, attributesOf(fields));
    }
  }

  #enter(key: string, fields: Fields, phase: string): void {
    const open = this.#open.get(key) ?? this.#begin(key, fields);
    open.phase?.end();
    const attributes = { ...this.#common(fields), [TRACE_ATTRIBUTES.phase]: phase };
    open.phase = this.#tracer.startSpan(phase, { attributes }, this.#under(open.span.spanContext()));
  }

  #begin(key: string, fields: Fields): OpenRound {
    if (this.#open.size >= OPEN_ROUNDS_MAX) this.#end([...this.#open.keys()][0] ?? '');
    // Both sides know job and round, so both come to the same trace; the coordinator's span of the round is what an agent's hangs below.
    const name = createHash('sha256').update(`veilsum trace ${this.#options.consortium}/${key}`).digest('hex');
    const [traceId, spanId] = [name.slice(0, 32), name.slice(32, 48)];
    const attributes = this.#common(fields);
    const { program } = this.#options;
    if (program === 'coordinator') this.#ids.next(traceId, spanId);
    const parent = program === 'coordinator' ? this.#api.ROOT_CONTEXT : this.#under({ traceId, spanId });
    const open = { span: this.#tracer.startSpan(`round ${program}`, { attributes }, parent), phase: undefined };
    this.#open.set(key, open);
    return open;
  }

  #end(key: string, fields: Fields = {}): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    open.phase?.end();
    open.span.setAttributes(attributesOf(fields));
    open.span.end();
  }

  #common(fields: Fields): Record<string, string | number> {
    const { silo } = this.#options;
    return { ...(silo === undefined ? {} : { [TRACE_ATTRIBUTES.silo]: silo }), ...attributesOf(fields) };
  }

  #under({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }) {
    const { trace, ROOT_CONTEXT, TraceFlags } = this.#api;
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  }
}

function attributesOf(fields: Fields): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  for (const [field, name] of Object.entries(TRACE_ATTRIBUTES)) {
    const value = fields[field];
    if (typeof value === 'string' || typeof value === 'number') attributes[name] = value;
  }
  return attributes;
}

/** Random ids, but for the one span that says its own. Spans are started in one go, so nobody comes between. */
class Ids {
  #trace: string | undefined;
  #span: string | undefined;

  next(trace: string, span: string): void {
    this.#trace = trace;
    this.#span = span;
  }

  readonly generateTraceId = (): string => {
    const id = this.#trace ?? randomBytes(16).toString('hex');
    this.#trace = undefined;
    return id;
  };

  readonly generateSpanId = (): string => {
    const id = this.#span ?? randomBytes(8).toString('hex');
    this.#span = undefined;
    return id;
  };
}
