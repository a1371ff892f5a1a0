// Messages of an agent: in order while answers come, and past one that is lost.

import { expect, it } from 'vitest';
import { CodedError } from '../../../src/base/index.js';
import { Outbox, type OutboxOptions } from '../../../silo-agent/outbox.js';
import type { Envelope, SubmitRequest, SubmitResponse } from '../../../src/wire/index.js';

const envelope = (type: string): Envelope => ({
  type,
  signer: 'silo/a',
  payload: new Uint8Array(),
  signature: Buffer.from(type),
});

const message = (type: string): SubmitRequest & { envelope: Envelope } => ({
  envelope: envelope(type),
  ciphertexts: [],
});

type Submit = (request: SubmitRequest) => Promise<SubmitResponse>;

function outboxWith(submit: Submit, changes: Partial<OutboxOptions> = {}) {
  const stop = new AbortController();
  const answered: string[] = [];
  const refused: string[] = [];
  const outbox = new Outbox({
    client: { submit },
    onAnswer: ({ type }) => answered.push(type),
    onRefused: ({ type }, { code }) => refused.push(`${type} ${code}`),
    signal: stop.signal,
    retryMs: 1,
    holdMs: 20,
    ...changes,
  });
  return { outbox, stop, answered, refused };
}

it('begins each message when the one before is answered', async () => {
  let underWay = 0;
  let most = 0;
  const begun: string[] = [];
  const { outbox, answered } = outboxWith(
    async ({ envelope: one }) => {
      begun.push(one!.type);
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 2));
      underWay--;
      return { receipt: undefined };
    },
    { holdMs: 60_000 },
  );
  for (const type of ['a', 'b', 'c']) outbox.send(message(type));
  await outbox.drained();
  expect({ begun, answered, most }).toEqual({ begun: ['a', 'b', 'c'], answered: ['a', 'b', 'c'], most: 1 });
});

it('lets the next ones pass one whose answer does not come, and delivers that one later', async () => {
  let free: (answer: SubmitResponse) => void = () => undefined;
  const { outbox, answered } = outboxWith(({ envelope: one }) =>
    one!.type === 'lost' ? new Promise((resolve) => (free = resolve)) : Promise.resolve({ receipt: undefined }),
  );
  for (const type of ['lost', 'b', 'c']) outbox.send(message(type));
  while (answered.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(answered).toEqual(['b', 'c']);
  free({ receipt: undefined });
  await outbox.drained();
  expect(answered).toEqual(['b', 'c', 'lost']);
});

it('repeats a message while the coordinator is away, and not after a no', async () => {
  let tries = 0;
  const { outbox, answered, refused } = outboxWith(({ envelope: one }) => {
    if (one!.type === 'bad') return Promise.reject(new CodedError('x/no', 'no', { category: 'content' }));
    tries++;
    if (tries < 4) return Promise.reject(new CodedError('x/away', 'away', { category: 'unavailable' }));
    return Promise.resolve({ receipt: undefined });
  });
  outbox.send(message('a'));
  outbox.send(message('bad'));
  await outbox.drained();
  expect({ answered, refused, tries }).toEqual({ answered: ['a'], refused: ['bad x/no'], tries: 4 });
});

it('sends the same bytes only once while they are under way, also past the hold', async () => {
  let calls = 0;
  let free: (answer: SubmitResponse) => void = () => undefined;
  const { outbox } = outboxWith(() => {
    calls++;
    return new Promise((resolve) => (free = resolve));
  });
  outbox.send(message('a'));
  await new Promise((resolve) => setTimeout(resolve, 60));
  outbox.send(message('a'));
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(calls).toBe(1);
  free({ receipt: undefined });
  await outbox.drained();
});

it('gives up when the agent stops', async () => {
  const { outbox, stop } = outboxWith(() =>
    Promise.reject(new CodedError('x/away', 'away', { category: 'unavailable' })),
  );
  outbox.send(message('a'));
  outbox.send(message('b'));
  stop.abort();
  await outbox.drained();
});
