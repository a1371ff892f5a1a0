// A coordinator that is not honest: to some silos it tells something else, signed with its own key, or nothing, or old things again.

import { hex } from '../../src/base/index.js';
import { COORDINATOR, fromBitmap, seal, toBitmap } from '../../src/protocol/index.js';
import type { SignedType } from '../../src/crypto/index.js';
import {
  AttemptStart,
  ConsistencyRequest,
  decode,
  RoundResult,
  type Directive,
  type Envelope,
  type MessageType,
} from '../../src/wire/index.js';
import type { Random } from '../fuzz/random.js';
import type { Founded } from '../support/memory/founding.js';
import { Fork } from './fork.js';
import type { Lie, Operation } from './script.js';

type LieOperation = Extract<Operation, { kind: 'lie' }>;
type Body = NonNullable<Directive['body']>;

export interface Lied {
  readonly random: Random;
  readonly founded: Founded;
  readonly network: { count(what: string): void };
  readonly coordinator: { lieAboutSum: ((sum: Float64Array) => void) | undefined; readonly log: readonly Uint8Array[] };
  isMalicious(silo: number): boolean;
}

const OLD_MAX = 200;
const WHOLE = 1 << 26;

export class Liar {
  readonly #active = new Set<LieOperation>();
  readonly #forks = new Map<LieOperation, Fork>();
  readonly #old: Directive[] = [];
  readonly #world: Lied;

  constructor(world: Lied) {
    this.#world = world;
  }

  begin(operation: LieOperation): void {
    this.#active.add(operation);
    if (operation.lie === 'fork') this.#fork(operation);
    if (operation.lie !== 'sum') return;
    const by = this.#world.random.pick([1, -(2 ** 32), 2 ** 61 - 1, -1]);
    this.#world.coordinator.lieAboutSum = (sum) => {
      this.#world.network.count('lie sum');
      sum[0]! += by;
    };
  }

  end(operation: LieOperation): void {
    this.#active.delete(operation);
    if (operation.lie === 'sum') this.#world.coordinator.lieAboutSum = undefined;
  }

  /** Nothing to fork where no log is kept. */
  #fork(operation: LieOperation): void {
    const { founded, coordinator } = this.#world;
    if (founded.logKey === undefined) return;
    const colluding = new Set([...founded.silos.keys()].filter((silo) => this.#world.isMalicious(silo)));
    this.#forks.set(operation, new Fork(founded, coordinator.log, coordinator.log.length, colluding));
  }

  /** The log that a silo is shown in the place of the true one. */
  forkFor(silo: number): Fork | undefined {
    for (const [operation, fork] of this.#forks)
      if (this.#active.has(operation) && operation.silos.includes(silo)) return fork;
    return undefined;
  }

  told(silo: number, directive: Directive): readonly Directive[] {
    if (this.#active.size === 0) return [directive];
    if (this.#old.length < OLD_MAX) this.#old.push(directive);
    let told: readonly Directive[] = [directive];
    for (const operation of this.#active)
      if (operation.silos.includes(silo)) told = told.flatMap((one) => this.#changed(operation, one));
    return told;
  }

  #changed(operation: LieOperation, directive: Directive): readonly Directive[] {
    const { random } = this.#world;
    const { lie } = operation;
    const { body, sequence } = directive;
    if (body === undefined) return [directive];
    const count = (): void => {
      this.#world.network.count(`lie ${lie}`);
    };
    if (lie === 'fork') {
      const other = this.#forks.get(operation)?.told(directive) ?? directive;
      if (other !== directive) count();
      return [other];
    }
    if (lie === 'withhold') {
      if (!random.once(6)) return [directive];
      count();
      return [];
    }
    if (lie === 'replay') {
      count();
      return [{ ...random.pick(this.#old), sequence }, directive];
    }
    const changed = this.#other(lie, body);
    if (changed === undefined) return [directive];
    count();
    // Both: the one silo is told two things. Otherwise: other things are told to some.
    if (lie === 'both-types' || random.once(2)) return [directive, { sequence, body: changed }];
    return [{ sequence, body: changed }];
  }

  /** The same directive with something else in it; undefined when this lie is not about it. */
  #other(lie: Lie, body: Body): Body | undefined {
    switch (lie) {
      case 'start':
        if (body.$case !== 'start') return undefined;
        return {
          ...body,
          value: {
            ...body.value,
            attempt: this.#signed(body.value.attempt, AttemptStart, () => ({ checkpoint: Uint8Array.of(1) })),
          },
        };
      case 'keys':
        if (body.$case !== 'keys') return undefined;
        return { ...body, value: { ...body.value, advertised: this.#without(body.value.advertised) } };
      case 'dealers':
        if (body.$case !== 'sharesClosed') return undefined;
        return { ...body, value: { ...body.value, dealers: this.#withoutBit(body.value.dealers) } };
      case 'survivors':
        if (body.$case === 'confirm') return { ...body, value: { request: this.#otherSurvivors(body.value.request) } };
        if (body.$case === 'unmask')
          return { ...body, value: { ...body.value, request: this.#otherSurvivors(body.value.request) } };
        return undefined;
      case 'both-types':
        if (body.$case !== 'unmask') return undefined;
        return { ...body, value: { ...body.value, request: this.#otherSurvivors(body.value.request) } };
      case 'result':
        if (body.$case !== 'result') return undefined;
        return { ...body, value: { ...body.value, result: this.#otherResult(body.value.result) } };
      case 'flip':
        if (body.$case !== 'shares') return undefined;
        return {
          ...body,
          value: {
            ...body.value,
            ciphertexts: body.value.ciphertexts.map((one) => ({
              ...one,
              ciphertext: one.ciphertext.map((b) => b ^ 1),
            })),
          },
        };
      case 'sum':
      case 'fork':
      case 'withhold':
      case 'replay':
        return undefined;
    }
  }

  #signed<T>(envelope: Envelope | undefined, codec: MessageType<T>, change: (message: T) => Partial<T>): Envelope {
    const message = decode(codec, 'message', envelope!.payload, WHOLE);
    // Only what the coordinator signs comes here.
    const type = envelope!.type as SignedType;
    return seal(this.#world.founded.coordinatorKey, COORDINATOR, type, codec, { ...message, ...change(message) });
  }

  #without<T>(list: readonly T[]): T[] {
    const gone = this.#world.random.below(list.length);
    return list.filter((_, k) => k !== gone);
  }

  #withoutBit(bitmap: Uint8Array): Uint8Array {
    const n = this.#world.founded.silos.length;
    return toBitmap(this.#without(fromBitmap(bitmap, n) ?? []), n);
  }

  #otherSurvivors(request: Envelope | undefined): Envelope {
    return this.#signed(request, ConsistencyRequest, (message) => {
      const n = this.#world.founded.silos.length;
      const members = fromBitmap(message.survivors, n) ?? [];
      const gone = this.#world.random.below(members.length);
      return {
        survivors: toBitmap(
          members.filter((_, k) => k !== gone),
          n,
        ),
        headers: message.headers.filter((_, k) => k !== gone),
      };
    });
  }

  #otherResult(result: Envelope | undefined): Envelope {
    const { random } = this.#world;
    return this.#signed(result, RoundResult, (message) => {
      if (random.once(3)) return { newModelHash: message.newModelHash.map((byte) => byte ^ 1) };
      if (random.once(2)) return { consistency: this.#without(message.consistency) };
      return {
        openedHash: message.openedHash.map((byte) => byte ^ 1),
        rid: new Uint8Array(32).fill(hex(message.rid).length),
      };
    });
  }
}
