// Mutations of decoded messages, field by field: what a peer that knows the format would try. Values come from the edges of their type
// and from a pool of everything that a real run has put into a field of the same name.

import { concat } from '../../src/base/index.js';
import type { Random } from './random.js';

const NUMBERS: readonly number[] = [
  0,
  1,
  2,
  3,
  4,
  7,
  31,
  32,
  33,
  63,
  64,
  127,
  128,
  199,
  200,
  201,
  255,
  256,
  65_535,
  65_536,
  100_001,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  -1,
  0.5,
  -0.5,
  1e308,
  -1e308,
  5e-324,
  Number.NaN,
  Infinity,
  -Infinity,
];
const BIGINTS: readonly bigint[] = [
  0n,
  1n,
  2n,
  255n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 61n - 1n,
  2n ** 61n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  -1n,
  -(2n ** 63n),
];
const STRINGS: readonly string[] = [
  '',
  ' ',
  'a',
  'A',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  'silo/',
  'silo/silo-000',
  'coordinator',
  'operator/olga',
  'auditor/ada',
  'x25519',
  '\u0000',
  '\u001b[2J\u001b]0;x\u0007',
  '\u202eabc',
  'é',
  'e\u0301',
  '\ufeffa',
  'a'.repeat(64),
  '-a',
  'a-',
  'ｓilo',
  'x'.repeat(5000),
  '\ud83d\ude00'.repeat(40),
  'NaN',
  '1e999',
  '\r\n',
];

/** Everything seen in fields of one name, over a whole run. */
export class Pool {
  readonly #values = new Map<string, unknown[]>();
  readonly #bytes: Uint8Array[] = [];

  learn(value: unknown, name = ''): void {
    this.#add(name, value);
    if (value instanceof Uint8Array) {
      if (value.length > 0 && value.length <= 96) this.#bytes.push(value);
      return;
    }
    if (Array.isArray(value)) {
      for (const item of value) this.learn(item, `${name}[]`);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) this.learn(inner, key);
  }

  #add(name: string, value: unknown): void {
    const known = this.#values.get(name) ?? [];
    if (known.length < 400) known.push(value);
    this.#values.set(name, known);
  }

  /** A value that stood in a field of this name; undefined when none did. */
  of(random: Random, name: string): unknown {
    const known = this.#values.get(name);
    return known === undefined ? undefined : random.pick([...known, known[0]]);
  }

  bytes(random: Random): Uint8Array {
    return random.pick(this.#bytes);
  }
}

interface Place {
  readonly name: string;
  readonly value: unknown;
  /** The whole message again, with another value in this place. */
  readonly put: (value: unknown) => unknown;
}

/** Every field, list and element of a message, and the message itself. */
function placesIn(message: unknown): Place[] {
  const places: Place[] = [];
  const visit = (place: Place): void => {
    places.push(place);
    const { value } = place;
    if (Array.isArray(value))
      value.slice(0, 40).forEach((item: unknown, at) => {
        visit({ name: `${place.name}[]`, value: item, put: (next) => place.put(value.with(at, next)) });
      });
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
      for (const [key, inner] of Object.entries(value))
        if (key !== '$case') visit({ name: key, value: inner, put: (next) => place.put({ ...value, [key]: next }) });
  };
  visit({ name: '', value: message, put: (next) => next });
  return places;
}

function otherBytes(random: Random, value: Uint8Array, pool: Pool): Uint8Array {
  switch (random.below(9)) {
    case 0:
      return new Uint8Array();
    case 1:
      return value.slice(0, random.below(value.length));
    case 2:
      return concat(value, random.bytes(1 + random.size(200)));
    case 3:
      return new Uint8Array(value.length);
    case 4:
      return new Uint8Array(value.length).fill(0xff);
    case 5:
      return random.bytes(value.length);
    case 6:
      return new Uint8Array(random.once(20) ? 300_000 : random.size(5000));
    case 7:
      return pool.bytes(random);
    default: {
      const out = value.slice();
      if (out.length > 0) out[random.below(out.length)]! ^= 1 << random.below(8);
      return out;
    }
  }
}

function otherList(random: Random, list: readonly unknown[], name: string, pool: Pool): unknown[] {
  const at = random.below(list.length);
  const other = random.below(list.length);
  const donor = pool.of(random, `${name}[]`) ?? list[at];
  switch (random.below(8)) {
    case 0:
      return [];
    case 1:
      return list.toSpliced(at, 1);
    case 2:
      return list.length === 0 ? [] : list.toSpliced(at, 0, list[at]);
    case 3:
      return list.length === 0 ? [] : list.with(at, list[other]).with(other, list[at]);
    case 4:
      return list.toReversed();
    case 5:
      return donor === undefined ? [...list] : [...list, donor];
    case 6:
      return list.length === 0 || donor === undefined ? [] : list.with(at, donor);
    default:
      return donor === undefined ? [] : Array.from({ length: random.size(600) }, () => donor);
  }
}

function otherValue(random: Random, { name, value }: Place, pool: Pool): unknown {
  if (random.once(4)) {
    const donor = pool.of(random, name);
    if (donor !== undefined && typeof donor === typeof value) return donor;
  }
  if (typeof value === 'number') return random.once(3) ? value + random.pick([-1, 1, 2, 8]) : random.pick(NUMBERS);
  if (typeof value === 'bigint') return random.once(3) ? value + random.pick([-1n, 1n, 8n]) : random.pick(BIGINTS);
  if (typeof value === 'string') return random.once(4) ? value + random.pick(STRINGS) : random.pick(STRINGS);
  if (typeof value === 'boolean') return !value;
  if (value instanceof Uint8Array) return otherBytes(random, value, pool);
  if (Array.isArray(value)) return otherList(random, value, name, pool);
  return value !== undefined && random.once(2) ? undefined : pool.of(random, name);
}

function isEnvelope(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'payload' in value;
}

/**
 * The message with one to three changes. Every other one happens inside an envelope, if there is one: `inside` gives another envelope
 * with another payload, or undefined to leave that.
 */
export function mutateMessage<T>(
  random: Random,
  message: T,
  pool: Pool,
  inside: (value: object) => object | undefined = () => undefined,
): T {
  let out: unknown = message;
  for (let changes = 1 + random.size(2); changes > 0; changes--) {
    const places = placesIn(out);
    const envelopes = random.once(2) ? [] : places.filter(({ value }) => isEnvelope(value));
    const place = random.pick(envelopes.length > 0 ? envelopes : places);
    const opened = isEnvelope(place.value) ? inside(place.value) : undefined;
    out = place.put(opened ?? otherValue(random, place, pool));
  }
  // The shape is what the codec's encoder is asked to write; one that it cannot write is thrown away by the caller.
  return out as T;
}
