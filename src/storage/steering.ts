import type { Kysely, Selectable } from 'kysely';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';

/** A message to a run that its model has not seen yet. `content` is JSON. */
export type SteeringRow = Selectable<Schema['steering']>;

/** Keeps a message for a run. */
export async function keepSteering(tx: Kysely<Schema>, message: Omit<SteeringRow, 'created_at'>): Promise<void> {
  await tx
    .insertInto('steering')
    .values({ ...message, created_at: timestamp() })
    .execute();
}

/** How many messages a run has not seen. */
export async function countSteering(tx: Kysely<Schema>, owner: string, run: string): Promise<number> {
  const { count } = await tx
    .selectFrom('steering')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('owner', '=', owner)
    .where('run', '=', run)
    .executeTakeFirstOrThrow();
  return count;
}

/** Takes the messages that a run has not seen out, in the order in which they came. */
export async function takeSteering(tx: Kysely<Schema>, owner: string, run: string): Promise<SteeringRow[]> {
  const rows = await tx
    .deleteFrom('steering')
    .where('owner', '=', owner)
    .where('run', '=', run)
    .returningAll()
    .execute();
  return rows.sort((a, b) => a.seq - b.seq);
}

/** Has a run messages that it has not seen? */
export async function hasSteering(db: Kysely<Schema>, owner: string, run: string): Promise<boolean> {
  const row = await db
    .selectFrom('steering')
    .select('id')
    .where('owner', '=', owner)
    .where('run', '=', run)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
