import type { Logger } from 'pino';

/**
 * Tells whoever waits, on every node, that there is something new to look at. It only saves waiting for the next look:
 * a call may get lost, come twice or come for nothing.
 */
export interface Waker {
  /** Calls this node's listeners at once, and those of other nodes a moment later. Never throws. */
  wake(topic: string): void;
  /** @returns what to call to hear no more. */
  subscribe(listener: (topic: string) => void): () => void;
  close(): Promise<void>;
}

/** The topic that stands for all: something may have been missed, so everything is to be looked at. */
export const EVERYTHING = '*';

/** The waker of a process that is alone. What a listener throws is only logged. */
export function localWaker(log?: Logger): Waker {
  const listeners = new Set<{ hear: (topic: string) => void }>();
  return {
    wake: (topic) => {
      // A copy: who is added meanwhile has nothing to hear yet.
      for (const listener of [...listeners]) {
        try {
          listener.hear(topic);
        } catch (error) {
          log?.error({ err: error, topic }, 'a listener of the waker failed');
        }
      }
    },
    subscribe: (hear) => {
      const listener = { hear };
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    close: () => {
      listeners.clear();
      return Promise.resolve();
    },
  };
}
