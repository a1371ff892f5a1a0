// Traces of a round as a collector gets them from both programs: one trace, spans that hang together, and nothing in them but what is listed.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { CALL_ATTRIBUTES, TRACE_ATTRIBUTES, Traces, type Log } from '../../../src/telemetry/index.js';
import { startCollector, type Collector } from '../../support/collector.js';

const CANARY = 'patient-4711';
const quiet = () => undefined;
const SILENT: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, flush: () => Promise.resolve() };

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.close());

const start = (program: 'agent' | 'coordinator', silo?: string): Promise<Traces> =>
  Traces.start({ program, silo, version: '1', consortium: 'test', endpoint: collector.url });

const round = { job: 'job-1', round: 2 };

it('makes one trace of a round, whose spans hang below that of the coordinator', async () => {
  const [coordinator, agent] = [await start('coordinator'), await start('agent', 'hospital-a')];
  const [there, here] = [coordinator.observing(SILENT), agent.observing(SILENT)];
  expect(agent.traceparent()).toBeUndefined();
  there.info('round.phase', { ...round, attempt: 1, phase: 'advertise' });
  here.info('round.started', round);
  const called = coordinator.called(
    '/veilsum.v1.SiloService/Submit',
    'spiffe://test/silo/hospital-a',
    agent.traceparent(),
  );
  called();
  there.info('round.phase', { ...round, attempt: 1, phase: 'mask' });
  here.info('round.contributed', { ...round, steps: 12 });
  here.info('round.verified', round);
  there.info('round.closed', { ...round, survivors: 4, cohort: 5, ending: 'result', ms: 17 });
  await agent.close();
  await coordinator.close();
  const { spans } = collector;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const named = (name: string) => spans.find((one) => one.name === name)!;
  expect(spans.map(({ service, name }) => `${service} ${name}`).sort()).toEqual([
    'veilsum-agent contribute',
    'veilsum-agent round agent',
    'veilsum-agent upload',
    'veilsum-coordinator Submit',
    'veilsum-coordinator advertise',
    'veilsum-coordinator mask',
    'veilsum-coordinator round coordinator',
  ]);
  expect(named('round coordinator').parentId).toBe('');
  expect(named('round agent').parentId).toBe(named('round coordinator').spanId);
  expect(named('contribute').parentId).toBe(named('round agent').spanId);
  expect(named('Submit').parentId).toBe(named('contribute').spanId);
  expect(named('mask').attributes).toEqual({
    'veilsum.job': 'job-1',
    'veilsum.round': '2',
    'veilsum.attempt': '1',
    'veilsum.phase': 'mask',
  });
  expect(named('round agent').attributes).toMatchObject({ 'veilsum.silo': 'hospital-a' });
  expect(named('round coordinator').attributes).toMatchObject({ 'veilsum.survivors': '4', 'veilsum.ending': 'result' });
});

it('keeps rounds and consortia apart', async () => {
  const one = await start('coordinator');
  const log = one.observing(SILENT);
  for (const number of [1, 2]) {
    log.info('round.phase', { job: 'job-1', round: number, attempt: 1, phase: 'advertise' });
    log.info('round.closed', { job: 'job-1', round: number });
  }
  await one.close();
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(2);
});

/** What the program says of itself, and the library of itself. */
const RESOURCE = ['service.name', 'service.version', 'veilsum.consortium', 'veilsum.silo'];

it.each(['agent', 'coordinator'] as const)(
  'says nothing of the %s that is not on its list, whatever is logged',
  async (program) => {
    const traces = await start(program, program === 'agent' ? 'hospital-a' : undefined);
    const log = traces.observing(SILENT);
    const secrets = { detail: CANARY, reason: CANARY, file: CANARY, loss: 0.5, path: CANARY };
    log.info('round.started', { ...round, ...secrets });
    log.info('round.phase', { ...round, ...secrets, attempt: 1, phase: 'mask' });
    log.warn('round.notice', { ...round, ...secrets, code: 'agent/small-holdout' });
    traces.called(
      '/veilsum.v1.SiloService/Submit',
      'spiffe://test/silo/hospital-a',
      `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    )();
    log.info('round.verified', { ...round, ...secrets });
    await traces.close();
    const sent = Buffer.concat(collector.bodies).toString('latin1');
    expect(sent).not.toContain(CANARY);
    // What must be there is: the look above can see.
    expect(sent).toContain('agent/small-holdout');
    const ofLog = new Set<string>(Object.values(TRACE_ATTRIBUTES));
    const { spans } = collector;
    expect(spans.length).toBeGreaterThan(2);
    for (const { name, attributes, resource } of spans) {
      if (name === 'Submit')
        expect(attributes).toEqual({
          [CALL_ATTRIBUTES.system]: 'grpc',
          [CALL_ATTRIBUTES.method]: '/veilsum.v1.SiloService/Submit',
          [CALL_ATTRIBUTES.peer]: 'spiffe://test/silo/hospital-a',
        });
      else for (const one of Object.keys(attributes)) expect(ofLog).toContain(one);
      for (const one of Object.keys(resource))
        expect(RESOURCE.includes(one) || one.startsWith('telemetry.sdk.')).toBe(true);
    }
  },
);

it('takes no traceparent that is none, and does without a collector', async () => {
  const traces = await Traces.start({
    program: 'coordinator',
    version: '1',
    consortium: 'test',
    endpoint: 'http://127.0.0.1:1/v1/traces',
  });
  for (const text of [undefined, '', 'x'.repeat(55), `00-${'0'.repeat(31)}-${'0'.repeat(16)}-01`])
    traces.called('/a/b', 'x', text)();
  const log = traces.observing(SILENT);
  log.info('round.phase', { ...round, attempt: 1, phase: 'advertise' });
  await traces.close();
  expect(collector.spans).toEqual([]);
});
