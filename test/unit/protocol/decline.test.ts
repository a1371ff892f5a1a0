import { describe, expect, it } from 'vitest';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, openedIn } from '../../support/memory/readings.js';

describe('a silo that has no input', () => {
  it('declines again in the same bytes when it died before its first Decline left, so that nobody waits for it', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const silo = consortium.silos[2]!;
    silo.input = () => undefined;
    const declines: string[] = [];
    // It dies with the Decline in its journal and not on the wire, before U2 is closed.
    silo.tamper = (envelope, ciphertexts) => {
      if (envelope.type !== 'decline') return { envelope, ciphertexts };
      declines.push(Buffer.from(envelope.signature).toString('hex'));
      if (declines.length > 1) return { envelope, ciphertexts };
      silo.crash();
      return null;
    };
    const began = consortium.time;
    consortium.hooks.deliver = (one) => {
      if (one !== silo && !silo.up && declines.length === 1) silo.restart();
      return true;
    };
    consortium.run();
    expect(declines.length).toBeGreaterThan(1);
    expect(new Set(declines).size).toBe(1);
    expect(openedIn(consortium, 1)).toEqual(allBut(5, 2));
    const { maskMs } = consortium.job.manifest.message.timeouts!;
    expect(consortium.time - began).toBeLessThan(maskMs);
  });
});
