// Numbers that Prometheus reads: each follows from what was logged or asked, with its value, and none has a silo's name on it.

import { expect, it, onTestFinished } from 'vitest';
import { METRICS, Metrics, startMetricsServer, type Log, type Sources } from '../../../src/telemetry/index.js';

const quiet = () => undefined;
const SILENT: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, flush: () => Promise.resolve() };

interface Watched {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: { now: number };
  /** Of a line of the answer: name and labels, without the program's own. */
  readonly of: (series: string) => Promise<number | undefined>;
}

function watched(sources: Partial<Sources> = {}): Watched {
  const clock = { now: 1_000_000 };
  const program = sources.program ?? 'coordinator';
  const metrics = new Metrics({ program, certificateNotAfter: () => 2_000_500, now: () => clock.now, ...sources });
  const sorted = (labels: string): string => labels.split(',').filter(Boolean).sort().join();
  const of = async (series: string): Promise<number | undefined> => {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series)!;
    for (const line of (await metrics.text()).split('\n')) {
      const found = /^(\w+)\{(.*)\} (.+)$/.exec(line);
      if (found?.[1] === name && sorted(found![2]!) === sorted(`${labels},program="${program}"`))
        return Number(found![3]);
    }
    return undefined;
  };
  return { metrics, log: metrics.observing(SILENT), clock, of };
}

const round = { job: 'job-1', round: 3, attempt: 1 };

it('measure each phase of a round from its beginning to the next, and the round as it was told', async () => {
  const { log, clock, of } = watched();
  log.info('round.phase', { ...round, phase: 'advertise' });
  clock.now += 2_000;
  log.info('round.phase', { ...round, phase: 'mask' });
  clock.now += 5_000;
  // Its inputs are closed; the sum is still to come.
  log.info('round.phase', { ...round, phase: 'mask' });
  // Another job's phases are its own.
  log.info('round.phase', { ...round, job: 'job-2', phase: 'share' });
  clock.now += 4_000;
  log.info('round.closed', { job: 'job-1', round: 3, ending: 'result', ms: 11_500, cohort: 5, survivors: 4 });
  expect(await of('veilsum_round_phase_duration_seconds_sum{phase="advertise"}')).toBe(2);
  expect(await of('veilsum_round_phase_duration_seconds_sum{phase="mask"}')).toBe(9);
  expect(await of('veilsum_round_phase_duration_seconds_count{phase="mask"}')).toBe(1);
  expect(await of('veilsum_round_phase_duration_seconds_count{phase="share"}')).toBeUndefined();
  expect(await of('veilsum_round_duration_seconds_sum')).toBe(11.5);
  expect(await of('veilsum_rounds_closed_total{ending="result"}')).toBe(1);
  expect([await of('veilsum_round_cohort'), await of('veilsum_round_survivors')]).toEqual([5, 4]);
});

it('measure the first phase of the next attempt anew, though it has the same name', async () => {
  const { log, clock, of } = watched();
  for (const attempt of [1, 2]) {
    log.info('round.phase', { ...round, attempt, phase: 'advertise' });
    clock.now += 1_000;
  }
  log.info('round.closed', { ...round, ending: 'abandoned', ms: 2_000, cohort: 5, survivors: 0 });
  expect(await of('veilsum_round_phase_duration_seconds_count{phase="advertise"}')).toBe(2);
  expect(await of('veilsum_rounds_closed_total{ending="abandoned"}')).toBe(1);
});

it('count events, renewals and bytes', async () => {
  const { metrics, log, of } = watched();
  log.warn('connection.lost', { code: 'transport/silent' });
  log.warn('connection.lost', { code: 'transport/broken' });
  log.info('certificate.renewed');
  log.error('certificate.not-renewed', { code: 'enrolment/busy' });
  metrics.received(1_000);
  metrics.received(24);
  metrics.sent(7);
  expect(await of('veilsum_events_total{event="connection.lost",level="warn"}')).toBe(2);
  expect(await of('veilsum_certificate_renewals_total{outcome="renewed"}')).toBe(1);
  expect(await of('veilsum_certificate_renewals_total{outcome="failed"}')).toBe(1);
  expect([await of('veilsum_received_bytes_total'), await of('veilsum_sent_bytes_total')]).toEqual([1_024, 7]);
});

it('are asked for what is so at this moment', async () => {
  let lease = { held: false, token: 0, takeovers: 0 };
  const { of } = watched({ connectedSilos: () => 4, queueDepth: () => 2, lease: () => lease });
  expect(await of('veilsum_certificate_not_after_seconds')).toBe(2_000.5);
  expect([await of('veilsum_connected_silos'), await of('veilsum_queue_depth')]).toEqual([4, 2]);
  const leads = () => Promise.all(['veilsum_lease_held', 'veilsum_lease_token', 'veilsum_takeovers_total'].map(of));
  expect(await leads()).toEqual([0, 0, 0]);
  lease = { held: true, token: 17, takeovers: 2 };
  expect(await leads()).toEqual([1, 17, 2]);
  // Who shares nothing leads.
  const alone = watched({ lease: () => undefined });
  expect(await alone.of('veilsum_lease_held')).toBe(1);
});

it('tell of each data set with a budget what is spent of it', async () => {
  const privacy = [{ dataSet: 'vitals', spent: 2.25, budget: 3 }];
  const { of } = watched({ program: 'agent', privacy: () => privacy });
  expect(await of('veilsum_privacy_epsilon_spent{data_set="vitals"}')).toBe(2.25);
  expect(await of('veilsum_privacy_epsilon_budget{data_set="vitals"}')).toBe(3);
});

it('have no silo, job or text of a log on them, whatever is logged', async () => {
  const { metrics, log } = watched();
  const names = { silo: 'canary-silo', job: 'canary-job', detail: 'canary-text', reason: 'canary-text' };
  log.warn('silo.connected', names);
  log.info('round.phase', { ...names, round: 1, attempt: 1, phase: 'mask' });
  log.info('round.closed', { ...names, round: 1, ending: 'result', ms: 1, cohort: 3, survivors: 3 });
  const text = await metrics.text();
  expect(text).toContain('event="silo.connected"');
  expect(text).not.toContain('canary');
  for (const name of Object.keys(METRICS)) expect(text).toContain(`# HELP ${name} `);
});

it('are served beside health, which is 503 when it is not well', async () => {
  let ok = true;
  const { metrics } = watched();
  const health = () => ({ ok, detail: { certificate: ok ? 'fresh' : 'expired' } });
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, metrics, health });
  onTestFinished(() => server.close());
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  expect((await get('/metrics')).headers.get('content-type')).toContain('text/plain');
  expect(await (await get('/healthz')).json()).toEqual({ ok: true, certificate: 'fresh' });
  ok = false;
  expect((await get('/healthz')).status).toBe(503);
  expect((await get('/')).status).toBe(404);
});
