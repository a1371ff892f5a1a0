import { describe, expect, it } from 'vitest';
import { Ack, Outcome } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { bySilo } from '../../support/memory/readings.js';
import { refusedByCoordinator, untilSent } from '../../support/memory/refusals.js';

describe('an acknowledgement', () => {
  it('with another outcome or model than the result it is about is refused: that would be a dispute', () => {
    const consortium = new MemoryConsortium(4);
    const { silo, envelope } = untilSent(consortium, 'ack', 1);
    const tried = (change: Partial<Ack>): string =>
      refusedByCoordinator(
        consortium,
        silo.id,
        bySilo(consortium.founded, silo.id, envelope, Ack, () => change),
      );
    expect(tried({ newModelHash: new Uint8Array(32) })).toBe('result/outcome');
    expect(tried({ outcome: Outcome.OUTCOME_REJECTED })).toBe('result/outcome');
  });
});
