// Field masks: a reader that wants three columns of 1000 rounds is not sent the progress of 200 silos in each.

import type { MessageType } from '../../src/wire/index.js';
import { AdminError } from './errors.js';

/** What a field's name looks like in the .proto. */
const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** `message` with nothing but the fields that `mask` names; as it is when the mask is empty. Throws AdminError `admin/bad-field`. */
export function masked<T extends object>(codec: MessageType<T>, message: T, mask: readonly string[]): T {
  if (mask.length === 0) return message;
  const kept = codec.decode(new Uint8Array());
  for (const name of mask) {
    const field = camelCase(name);
    if (!NAME.test(name) || !Object.hasOwn(kept, field))
      throw new AdminError(
        'admin/bad-field',
        `there is no field "${name.slice(0, 80)}": there are ${Object.keys(kept).map(snakeCase).join(', ')}.`,
      );
    // Both are of the same message, so the value has the type of its place.
    const place = field as keyof T;
    kept[place] = message[place];
  }
  return kept;
}

/** For pages: the mask is checked even when there is no item. */
export function demandFields<T extends object>(codec: MessageType<T>, mask: readonly string[]): void {
  masked(codec, codec.decode(new Uint8Array()), mask);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
