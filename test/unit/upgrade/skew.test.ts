// What programs of different versions are to each other, as "Version skew" in docs/operations.md promises it. Journals of earlier versions
// are read in recorded.test.ts, the first word of a stream in test/unit/protocol/version.test.ts, tables in test/unit/storage/postgres.test.ts.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { expect, it } from 'vitest';
import { answerOf, readAnswer } from '../../../coordinator/cluster/forwarding.js';
import { concat } from '../../../src/base/index.js';
import { initialCoordinatorState, readRoster, replayCoordinator } from '../../../src/protocol/index.js';
import { decode, encode, ForwardedRequest, WatchRequest } from '../../../src/wire/index.js';
import { keyFrom } from '../../support/memory/founding.js';
import { readRecording } from '../../support/recording.js';

/** A field that no version has so far. */
const LATER = new BinaryWriter()
  .uint32((900 << 3) | 0)
  .uint32(7)
  .finish();
const withLater = (bytes: Uint8Array): Uint8Array => concat(bytes, Uint8Array.from(LATER));

it('a program of the same protocol version may say more than another knows: that is passed over', () => {
  const request = { cursor: 5n, agentVersion: '7.0.0', protocolVersion: 1 };
  expect(decode(WatchRequest, 'request', withLater(encode(WatchRequest, request)))).toEqual(request);
});

it('a journal that a later version of the same format has written is read: going back one version is possible', () => {
  const [version] = readdirSync('test/fixtures/upgrade');
  const { roster, coordinator } = readRecording(join('test/fixtures/upgrade', version!, 'round.json'));
  const first = initialCoordinatorState({
    signingKey: keyFrom('coordinator'),
    logKey: keyFrom('log'),
    roster: readRoster(roster),
  });
  const plain = replayCoordinator(first, coordinator[0]!);
  const later = replayCoordinator(first, withLater(coordinator[0]!));
  expect(plain.ok).toBe(true);
  expect(later).toEqual(plain);
});

it('coordinators on one database that say different things to each other feed nothing: the silo asks again', async () => {
  const service = {
    feed: () => {
      throw new Error('must not be fed');
    },
  };
  const request = encode(ForwardedRequest, { version: 2, body: undefined, upload: undefined });
  const answer = await answerOf(service as never, request);
  expect(() => readAnswer(answer!)).toThrow(
    expect.objectContaining({ code: 'coordinator/not-leading', category: 'unavailable' }) as Error,
  );
});
