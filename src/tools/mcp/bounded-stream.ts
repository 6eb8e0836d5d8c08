/**
 * Passes server-sent events on, and fails when one of them is of more bytes than so many: whoever puts them together
 * keeps a whole one in memory.
 */
export function boundEvents(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let length = 0;
  let isEmptyLine = true;
  let wasReturn = false;
  return new TransformStream({
    transform: (chunk, controller) => {
      for (const byte of chunk) {
        length++;
        // An event ends with an empty line, whose end may be CR, LF or both.
        const isLineEnd = byte === 10 || byte === 13;
        if (isLineEnd && isEmptyLine && !(byte === 10 && wasReturn)) length = 0;
        isEmptyLine = isLineEnd;
        wasReturn = byte === 13;
        if (length > maxBytes) throw new Error(`an event of over ${maxBytes} bytes`);
      }
      controller.enqueue(chunk);
    },
  });
}

/** Passes bytes on, and fails when there are more than so many. */
export function boundBytes(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let length = 0;
  return new TransformStream({
    transform: (chunk, controller) => {
      length += chunk.length;
      if (length > maxBytes) throw new Error(`an answer of over ${maxBytes} bytes`);
      controller.enqueue(chunk);
    },
  });
}
