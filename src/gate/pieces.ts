/** What a stranger may send comes in one. */
export const PIECE_BYTES = 64 * 1024;

/** A body in large pieces, however small the chunks are in which it comes: each piece costs the isolate a turn. */
export async function* piecesOf({ body }: Request): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader({ mode: "byob" });
  if (!reader) return;
  try {
    for (;;) {
      const { value } = await reader.readAtLeast(PIECE_BYTES, new Uint8Array(PIECE_BYTES));
      if (!value?.byteLength) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
