// Errors on their way out of the trainer's thread.

import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/model/index.js';
import { TrainerError } from '../../../src/trainer/index.js';
import { fromFailure, toFailure } from '../../../src/trainer/failure.js';

/** What structured cloning would leave of it. */
function crossed(error: unknown): Error {
  return fromFailure(structuredClone(toFailure(error)));
}

describe('an error that crosses the thread boundary', () => {
  it('keeps class, code, message, remedy and category', () => {
    const sent = new TrainerError('trainer/diverged', 'training diverged: the loss is not finite at step 4');
    const received = crossed(sent);
    expect(received).toBeInstanceOf(TrainerError);
    expect(received).toMatchObject({
      code: sent.code,
      message: sent.message,
      remedy: sent.remedy,
      category: sent.category,
    });
  });

  it('keeps the list of what is wrong with a model', () => {
    const problems = [{ place: 'node a', what: 'no gradient for operator B' }];
    const received = crossed(new ModelError('model/refused', 'refused', {}, problems));
    expect(received).toBeInstanceOf(ModelError);
    expect(received).toMatchObject({ code: 'model/refused', problems, category: 'content' });
  });

  it('loses the text of a bug, which might quote a record', () => {
    const received = crossed(new RangeError('patient 4711 has a haemoglobin of 3.2'));
    expect(received).toMatchObject({
      code: 'trainer/runtime',
      message: 'unexpected RangeError in the trainer’s thread',
    });
    expect(JSON.stringify(toFailure(new RangeError('4711')))).not.toContain('4711');
  });

  it('is a runtime error when its code is not known here', () => {
    expect(fromFailure({ code: 'elsewhere/unknown', message: 'm' })).toMatchObject({ code: 'trainer/runtime' });
  });
});
