import type { ProviderEvent } from '../providers/chat-model.ts';

/**
 * Passes an answer on to one reader, without ever waiting for it: a turn goes on when its caller is slow or gone. What
 * is held is no more than the answer itself, which the turn has in memory anyway.
 */
export class Relay implements AsyncIterable<ProviderEvent[]> {
  #held: ProviderEvent[][] = [];
  #hasEnded = false;
  #hasLeft = false;
  #wake: (() => void) | undefined;

  push(events: ProviderEvent[]): void {
    if (this.#hasLeft) return;
    this.#held.push(events);
    this.#wake?.();
  }

  /** Nothing more comes. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProviderEvent[]> {
    try {
      for (;;) {
        const held = this.#held;
        this.#held = [];
        yield* held;
        if (this.#held.length > 0) continue;
        if (this.#hasEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#hasLeft = true;
      this.#held = [];
    }
  }
}
