/**
 * The same items, and undefined whenever none has come for a while, so that something can be said meanwhile.
 * @param ms how long that is, in milliseconds.
 */
export async function* withSilences<Item>(items: AsyncIterable<Item>, ms: number): AsyncGenerator<Item | undefined> {
  const iterator = items[Symbol.asyncIterator]();
  let wake: (() => void) | undefined;
  // One timer for all of them: there may be thousands of items.
  const timer = setTimeout(() => wake?.(), ms);
  let next = iterator.next();
  try {
    for (;;) {
      timer.refresh();
      const silence = new Promise<undefined>((resolve) => {
        wake = () => resolve(undefined);
      });
      const result = await Promise.race([next, silence]);
      if (!result) {
        yield undefined;
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    clearTimeout(timer);
    // Nobody waits for it any more if the reader has gone.
    next.catch(() => undefined);
    await iterator.return?.();
  }
}
