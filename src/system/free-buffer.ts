// Giving memory back before the collector comes: ArrayBuffer.prototype.transfer to length 0. Built in from Node 22; Node 20 has it behind
// a flag of its engine, which can be set while it runs and holds for contexts made afterwards.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Transfer = (this: ArrayBuffer, length: number) => ArrayBuffer;

/** Frees a buffer at once, which nobody may use after; undefined where the engine has no way. */
export function bufferFreeing(): ((buffer: ArrayBuffer) => void) | undefined {
  const transfer = builtIn(ArrayBuffer.prototype) ?? behindFlag();
  if (transfer === undefined || !works(transfer)) return undefined;
  return (buffer) => {
    transfer.call(buffer, 0);
  };
}

function builtIn(prototype: object): Transfer | undefined {
  return 'transfer' in prototype && typeof prototype.transfer === 'function'
    ? // The language says what a function of this name takes.
      (prototype.transfer as Transfer)
    : undefined;
}

function behindFlag(): Transfer | undefined {
  try {
    setFlagsFromString('--harmony-rab-gsab-transfer');
    const prototype: unknown = runInNewContext('ArrayBuffer.prototype');
    return typeof prototype === 'object' && prototype !== null ? builtIn(prototype) : undefined;
  } catch {
    return undefined;
  }
}

/** Seen to detach a buffer, not believed. */
function works(transfer: Transfer): boolean {
  const probe = new ArrayBuffer(8);
  transfer.call(probe, 0);
  return probe.byteLength === 0;
}
