// Kernels are instantiated once for each thread, when they are first used: a program that never sums vectors compiles none.

export interface Instance<Exports> {
  readonly run: Exports;
  /** The whole memory of the kernel. */
  readonly bytes: Uint8Array;
}

/** A function that gives the kernel's only instance. `Exports` must be what the module's text exports. */
export function kernel<Exports>(module: Uint8Array<ArrayBuffer>): () => Instance<Exports> {
  let instance: Instance<Exports> | undefined;
  return () => {
    if (instance === undefined) {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
      // Every module exports its memory under this name.
      const memory = exports['memory'] as WebAssembly.Memory;
      // What the caller said of the text.
      instance = { run: exports as Exports, bytes: new Uint8Array(memory.buffer) };
    }
    return instance;
  };
}

/** The bytes of an array of numbers, not copied. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** `count` rounded up to a multiple of `unit`. */
export function roundedUp(count: number, unit: number): number {
  return Math.ceil(count / unit) * unit;
}
