// m where a job file does not say it: the fewest bits that no sum can overflow and that leave every number fine enough. An upload has
// m / 32 of the bytes of a float32 vector.

import { unitBudget, type Room } from './budget.js';
import { JobError } from './errors.js';
import { JOB_LIMITS } from './limits.js';

/**
 * Steps from 0 to the clip. Of a metric the clip is what all records of the largest silo could add up to, of which those held out are a
 * small part: with 2^18 steps the mean loss of a hundred records was a thousandth off, with these it is an eighth of that.
 */
const STEPS_MIN = 2 ** 21;
/**
 * Of a change of d parameters: rounding moves each by half a step at most, all of them by sqrt(d) / 2 steps, which is to be below a
 * hundredth of the clip.
 */
const STEPS_PER_ROOT = 64;

/**
 * The smallest m from 16 to 32 for which `fits` does not throw `job/overflow` and all numbers keep their steps; 32 where none does.
 * `parameters`: d of a training job; `any` where `fits` alone says how fine numbers have to be. `fits` is called with rooms of growing m.
 */
export function smallestModulus(silos: number, parameters: number | 'any', fits: (room: Room) => void): number {
  const { modulusBitsMin, modulusBitsMax } = JOB_LIMITS;
  const steps = parameters === 'any' ? 0 : Math.max(STEPS_MIN, STEPS_PER_ROOT * Math.sqrt(parameters));
  for (let modulusBits: number = modulusBitsMin; modulusBits < modulusBitsMax; modulusBits++) {
    const room = { silos, modulusBits };
    if (unitBudget(room) >= steps && holds(room, fits)) return modulusBits;
  }
  return modulusBitsMax;
}

function holds(room: Room, fits: (room: Room) => void): boolean {
  try {
    fits(room);
    return true;
  } catch (error) {
    if (error instanceof JobError && error.code === 'job/overflow') return false;
    throw error;
  }
}
