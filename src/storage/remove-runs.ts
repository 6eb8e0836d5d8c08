import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** Rows that one statement removes: a long one would hold up everybody else. */
const EVENTS_AT_ONCE = 5000;
const RUNS_AT_ONCE = 100;

/**
 * Removes the runs of a conversation that a message from `fromSeq` on is of, with their events and approvals. None of
 * them must be active, or the conversation nobody's any more.
 */
export async function removeRuns(
  db: Kysely<Schema>,
  owner: string,
  conversation: number,
  fromSeq: number,
): Promise<void> {
  for (;;) {
    const runs = await db
      .selectFrom('runs')
      .select(['id', 'last_seq'])
      .where('owner', '=', owner)
      .where('conversation', '=', conversation)
      .where(({ or, eb, selectFrom }) =>
        or([
          eb('first_seq', '>=', fromSeq),
          eb(
            'id',
            'in',
            selectFrom('messages')
              .select('turn')
              .where('owner', '=', owner)
              .where('conversation', '=', conversation)
              .where('seq', '>=', fromSeq),
          ),
        ]),
      )
      .limit(RUNS_AT_ONCE)
      .execute();
    for (const run of runs) await removeRun(db, owner, run);
    if (runs.length < RUNS_AT_ONCE) return;
  }
}

async function removeRun(
  db: Kysely<Schema>,
  owner: string,
  { id, last_seq }: { id: string; last_seq: number },
): Promise<void> {
  // First, so that nothing is added to what is being removed.
  await db.updateTable('runs').set({ status: 'cancelled' }).where('owner', '=', owner).where('id', '=', id).execute();
  for (let upTo = EVENTS_AT_ONCE; upTo < last_seq + EVENTS_AT_ONCE; upTo += EVENTS_AT_ONCE) {
    await db
      .deleteFrom('run_events')
      .where('owner', '=', owner)
      .where('run', '=', id)
      .where('seq', '<=', upTo)
      .execute();
  }
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('run_events').where('owner', '=', owner).where('run', '=', id).execute();
    await tx.deleteFrom('approvals').where('owner', '=', owner).where('run', '=', id).execute();
    await tx.deleteFrom('steering').where('owner', '=', owner).where('run', '=', id).execute();
    await tx.deleteFrom('runs').where('owner', '=', owner).where('id', '=', id).execute();
  });
}
