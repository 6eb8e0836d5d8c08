import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { removeExpiredKeys } from '../storage/idempotency.ts';
import { removeExpiredOrphans } from '../storage/orphans.ts';
import type { Schema } from '../storage/schema.ts';
import type { Turns } from './turns.ts';

const EVERY_MS = 5000;
const KEYS_AT_ONCE = 1000;

/** Clearing up that goes on until it is stopped. */
export interface Sweep {
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

/**
 * Clears up, now and every few seconds, what processes that died have left: turns that nobody finishes, conversations
 * that were being deleted or made, and idempotency keys that have had their time.
 */
export function startSweep(db: Kysely<Schema>, turns: Turns, log: Logger): Sweep {
  const stopping = new AbortController();
  const sweeping = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await turns.endExpired();
        await removeExpiredOrphans(db);
        await removeExpiredKeys(db, KEYS_AT_ONCE);
      } catch (error) {
        log.error({ err: error }, 'what was left behind could not be cleared up');
      }
      await sleep(EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await sweeping;
    },
  };
}
