// The first word of each stream: which protocol is spoken.

import { describe, expect, it } from 'vitest';
import { siloHandlers } from '../../../coordinator/silo-handlers.js';
import { unixMs } from '../../../src/base/index.js';
import { demandSameProtocol, orRejection, PROTOCOL_VERSION } from '../../../src/protocol/index.js';
import type { SiloHandlers } from '../../../src/transport/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

describe('the version of the protocol', () => {
  it.each([0, PROTOCOL_VERSION + 1, 4_294_967_295])('%d is refused, with both named', (theirs) => {
    const done = orRejection(() => {
      demandSameProtocol(theirs, 'agent');
    });
    expect(done).toMatchObject({ rejected: { code: 'message/protocol-version', category: 'state' } });
    const { detail } = (done as { rejected: { detail: string } }).rejected;
    expect(detail).toContain(theirs === 0 ? 'version none' : `version ${theirs}`);
    expect(detail).toContain(`this program version ${PROTOCOL_VERSION}`);
  });

  it('is asked for by the coordinator before a silo counts as there', async () => {
    const consortium = new MemoryConsortium(4);
    const [silo] = consortium.founded.silos;
    let opened = 0;
    // What a watch touches of the service.
    const service = {
      self: { roster: consortium.founded.roster },
      state: consortium.coordinator,
      missingInputs: () => [],
      onChange: () => () => undefined,
      opened: () => opened++,
      closed: () => undefined,
    };
    const handlers = siloHandlers(service as never, { debug: () => undefined } as never);
    const first = async (protocolVersion: number): Promise<unknown> => {
      const request = { cursor: 0n, agentVersion: '9', protocolVersion };
      const leave = new AbortController();
      const certificate = { notAfter: unixMs(1), serial: 'a' };
      const calling: Parameters<SiloHandlers['watch']> = [silo!, request, leave.signal, certificate];
      const stream = handlers.watch(...calling)[Symbol.asyncIterator]();
      try {
        return (await stream.next()).value;
      } finally {
        leave.abort();
        await stream.return?.(undefined);
      }
    };
    await expect(first(PROTOCOL_VERSION + 1)).rejects.toMatchObject({ code: 'message/protocol-version' });
    expect(opened).toBe(0);
    expect(await first(PROTOCOL_VERSION)).toMatchObject({ body: { value: { protocolVersion: PROTOCOL_VERSION } } });
    expect(opened).toBe(1);
  });
});
