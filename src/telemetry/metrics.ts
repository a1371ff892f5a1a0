// Numbers for Prometheus, from one closed list, so that a test can hold dashboard and documentation equal to it. Most of them follow from
// what is logged: whoever logs an event need not know that it is counted. Nothing here has a silo's name on it.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EventName } from './events.js';
import type { Fields, Log } from './log.js';

export const METRICS = {
  veilsum_events_total: 'Log events, by name and level.',
  veilsum_certificate_not_after_seconds: 'End of validity of the certificate in use, in Unix seconds.',
  veilsum_certificate_renewals_total: 'Renewals of the certificate, by outcome.',
  veilsum_connected_silos: 'Silos with an open stream (coordinator).',
  veilsum_rounds_closed_total: 'Rounds that have ended, by ending: result or abandoned (coordinator).',
  veilsum_round_duration_seconds: 'Time of a round from plan to end (coordinator).',
  veilsum_round_phase_duration_seconds: 'Time of a phase of a round, by phase (coordinator).',
  veilsum_round_cohort: 'Silos in the cohort of the round that ended last (coordinator).',
  veilsum_round_survivors: 'Silos whose input is in the sum of the round that ended last (coordinator).',
  veilsum_received_bytes_total: 'Bytes of masked inputs that came in (coordinator).',
  veilsum_sent_bytes_total: 'Bytes of models and sums that went out (coordinator), or of masked inputs (agent).',
  veilsum_lease_held:
    'Whether this coordinator leads those on its database, 1 or 0; 1 without a database (coordinator).',
  veilsum_lease_token: 'Fencing token under which it leads; 0 when it does not, or without a database (coordinator).',
  veilsum_takeovers_total: 'Times that this process began to lead (coordinator).',
  veilsum_queue_depth: 'Events that wait for the state machine (coordinator).',
  veilsum_privacy_epsilon_spent:
    "Epsilon that the rounds charged to a data set have cost, at its budget's delta (agent).",
  veilsum_privacy_epsilon_budget: 'Epsilon that the policy allows a data set (agent).',
} as const;

export type MetricName = keyof typeof METRICS;

/** Seconds: rounds take from half a second to hours. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

export interface PrivacySpent {
  /** Its name in the agent's own configuration. */
  readonly dataSet: string;
  readonly spent: number;
  readonly budget: number;
}

export interface Sources {
  readonly program: 'agent' | 'coordinator';
  /** Unix milliseconds. */
  readonly certificateNotAfter: () => number;
  readonly connectedSilos?: () => number;
  readonly queueDepth?: () => number;
  /** Of a coordinator that shares its store; undefined where there is only one. */
  readonly lease?: () => { readonly held: boolean; readonly token: number; readonly takeovers: number } | undefined;
  /** Of each data set with a budget. */
  readonly privacy?: () => readonly PrivacySpent[];
  readonly now: () => number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #sources: Sources;
  readonly #events = this.#counter('veilsum_events_total', ['event', 'level']);
  readonly #renewals = this.#counter('veilsum_certificate_renewals_total', ['outcome']);
  readonly #closed = this.#counter('veilsum_rounds_closed_total', ['ending']);
  readonly #received = this.#counter('veilsum_received_bytes_total');
  readonly #sent = this.#counter('veilsum_sent_bytes_total');
  readonly #round = this.#histogram('veilsum_round_duration_seconds');
  readonly #phase = this.#histogram('veilsum_round_phase_duration_seconds', ['phase']);
  readonly #cohort = this.#gauge('veilsum_round_cohort');
  readonly #survivors = this.#gauge('veilsum_round_survivors');
  /** The phase that each job is in, and since when. */
  readonly #phases = new Map<string, { readonly phase: string; readonly attempt: unknown; readonly since: number }>();

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#registry.setDefaultLabels({ program: sources.program });
    collectDefaultMetrics({ register: this.#registry });
    this.#asked('veilsum_certificate_not_after_seconds', () => sources.certificateNotAfter() / 1000);
    this.#asked('veilsum_connected_silos', () => sources.connectedSilos?.() ?? 0);
    this.#asked('veilsum_queue_depth', () => sources.queueDepth?.() ?? 0);

    const lease = () => sources.lease?.() ?? { held: true, token: 0, takeovers: 0 };
    this.#asked('veilsum_lease_held', () => (lease().held ? 1 : 0));
    this.#asked('veilsum_lease_token', () => lease().token);
    this.#asked('veilsum_takeovers_total', () => lease().takeovers);
    this.#ofDataSets('veilsum_privacy_epsilon_spent', ({ spent }) => spent);
    this.#ofDataSets('veilsum_privacy_epsilon_budget', ({ budget }) => budget);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  received(bytes: number): void {
    this.#received.inc(bytes);
  }

  sent(bytes: number): void {
    this.#sent.inc(bytes);
  }

  /** The same log, counted. */
  observing(log: Log): Log {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (event: EventName, fields: Fields = {}): void => {
        log[level](event, fields);
        this.#events.inc({ event, level });
        this.#follow(event, fields);
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), flush: () => log.flush() };
  }

  #follow(event: EventName, fields: Fields): void {
    if (event === 'round.phase') this.#enter(String(fields['job']), String(fields['phase']), fields['attempt']);
    else if (event === 'round.closed') {
      this.#enter(String(fields['job']), undefined);
      this.#closed.inc({ ending: String(fields['ending']) });
      this.#round.observe(Number(fields['ms']) / 1000);
      this.#cohort.set(Number(fields['cohort']));
      this.#survivors.set(Number(fields['survivors']));
    } else if (event === 'certificate.renewed') this.#renewals.inc({ outcome: 'renewed' });
    else if (event === 'certificate.not-renewed') this.#renewals.inc({ outcome: 'failed' });
  }

  #enter(job: string, phase: string | undefined, attempt?: unknown): void {
    const now = this.#sources.now();
    const left = this.#phases.get(job);
    // A phase says that its inputs are closed, too: it goes on.
    if (left !== undefined && left.phase === phase && left.attempt === attempt) return;
    if (left !== undefined) this.#phase.observe({ phase: left.phase }, (now - left.since) / 1000);
    if (phase === undefined) this.#phases.delete(job);
    else this.#phases.set(job, { phase, attempt, since: now });
  }

  #counter<Label extends string>(name: MetricName, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name, help: METRICS[name], labelNames, registers: [this.#registry] });
  }

  #gauge(name: MetricName): Gauge {
    return new Gauge({ name, help: METRICS[name], registers: [this.#registry] });
  }

  #histogram<Label extends string>(name: MetricName, labelNames: Label[] = []): Histogram<Label> {
    return new Histogram({ name, help: METRICS[name], labelNames, buckets: BUCKETS, registers: [this.#registry] });
  }

  #ofDataSets(name: MetricName, valueOf: (one: PrivacySpent) => number): void {
    const { privacy = () => [] } = this.#sources;
    new Gauge({
      name,
      help: METRICS[name],
      labelNames: ['data_set'],
      registers: [this.#registry],
      collect() {
        for (const one of privacy()) this.set({ data_set: one.dataSet }, valueOf(one));
      },
    });
  }

  #asked(name: MetricName, ask: () => number): void {
    new Gauge({
      name,
      help: METRICS[name],
      registers: [this.#registry],
      collect() {
        this.set(ask());
      },
    });
  }
}
