import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { expireApprovals } from './agent/answer-approval.ts';
import type { RunServices } from './agent/context.ts';
import { foldEndedRuns } from './agent/fold.ts';
import { takeUpForgotten } from './agent/take-up.ts';
import { releaseExpiredHolds } from './storage/budget-holds.ts';
import { removeExpiredKeys } from './storage/idempotency.ts';
import { removeExpiredInvites } from './storage/invites.ts';
import { removeOldFailures } from './storage/login-failures.ts';
import { removeExpiredOrphans } from './storage/orphans.ts';
import { removeDeletedAccounts } from './storage/owners.ts';
import { removeFullBuckets } from './storage/rate-buckets.ts';
import type { Schema } from './storage/schema.ts';
import { removeExpiredSessions } from './storage/sessions.ts';

const EVERY_MS = 5000;
const ROWS_AT_ONCE = 1000;
const RUNS_AT_ONCE = 20;
/** A run that nothing was written to for so long may have been forgotten. */
const FORGOTTEN_MS = 10_000;

/** Clearing up that goes on until it is stopped. */
export interface Sweep {
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

/** Conversations of deleted accounts that are removed before everything else has its turn again. */
const CONVERSATIONS_AT_ONCE = 100;

/**
 * Clears up, now and every few seconds: what processes that died have left (turns that nobody finishes, conversations
 * that were being deleted or made, what calls had reserved of budgets), what has had its time, and what belonged to
 * accounts that were deleted.
 */
export function startSweep(db: Kysely<Schema>, runs: RunServices, log: Logger): Sweep {
  const stopping = new AbortController();
  // At the start at once: the process before may have died between a run's commit and its job.
  let forgottenMs = 0;
  const chores: Readonly<Record<string, () => Promise<unknown>>> = {
    turns: () => runs.turns.endExpired(),
    // What a command has changed at the machine; and where the news of another node's change got lost.
    providers: () => runs.providers.refresh(),
    approvals: () => expireApprovals(runs, ROWS_AT_ONCE),
    forgottenRuns: async () => {
      await takeUpForgotten(runs, forgottenMs, ROWS_AT_ONCE);
      forgottenMs = FORGOTTEN_MS;
    },
    deltas: () => foldEndedRuns(db, RUNS_AT_ONCE),
    orphans: () => removeExpiredOrphans(db),
    holds: () => releaseExpiredHolds(db),
    idempotencyKeys: () => removeExpiredKeys(db, ROWS_AT_ONCE),
    sessions: () => removeExpiredSessions(db),
    invites: () => removeExpiredInvites(db),
    buckets: () => removeFullBuckets(db, ROWS_AT_ONCE),
    failures: () => removeOldFailures(db, ROWS_AT_ONCE),
    accounts: () => removeDeletedAccounts(db, CONVERSATIONS_AT_ONCE),
  };
  const sweeping = (async () => {
    while (!stopping.signal.aborted) {
      for (const [chore, run] of Object.entries(chores)) {
        // What one of them cannot do keeps no other from its work.
        await run().catch((error: unknown) => log.error({ err: error, chore }, 'could not be cleared up'));
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
