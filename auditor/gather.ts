// Streams of bytes that must fit into memory.

/** The bytes of a stream, at most `maxBytes` of them: undefined when there are more. */
export async function gather(pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxBytes) return undefined;
    // Pieces may be views of a buffer that is used again.
    parts.push(Uint8Array.from(piece));
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
