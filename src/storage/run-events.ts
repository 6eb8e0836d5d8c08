import { type Kysely, sql } from 'kysely';
import { isAmong, isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** Something that happened in a run, to be written down. `data` is a JSON object. */
export interface NewEvent {
  /** What can happen only once has one: a second one of it is not written, nor what comes with it. */
  key?: string;
  type: string;
  data: Record<string, unknown>;
}

/** A stored event. `data` is JSON; `firstSeq` is below `seq` if it stands for several. */
export interface StoredEvent {
  seq: number;
  firstSeq: number;
  type: string;
  data: string;
  /** Milliseconds. */
  timestamp: number;
}

/** Events for the end of a run's log. */
export interface Append {
  run: string;
  owner: string;
  /** What the writer has taken; undefined for whoever is not at work on the run, but may add to it. */
  fence: number | undefined;
  events: readonly NewEvent[];
}

/** Something that can happen only once has happened before. */
export class HappenedBefore extends Error {
  constructor(keys: readonly string[]) {
    super(`happened before: ${keys.join(', ')}`);
    this.name = 'HappenedBefore';
  }
}

/**
 * Writes events to the logs of runs that have not ended; must run in a transaction. The run's row gives the numbers, so
 * there are no gaps, and whoever has lost the run cannot write.
 * @returns the events of each run (each at most once among `appends`) as stored; those of a run that has ended, is gone,
 *   or was taken by somebody else are missing.
 * @throws HappenedBefore: the transaction must be taken back.
 */
export async function appendEvents(
  tx: Kysely<Schema>,
  appends: readonly Append[],
): Promise<Map<string, StoredEvent[]>> {
  const counts = appends.map(({ run, owner, fence, events }) => ({
    run,
    owner,
    fence: fence ?? null,
    count: events.length,
  }));
  const bumped = await countUp(tx, JSON.stringify(counts));
  const last = new Map(bumped.map(({ id, last_seq }) => [id, last_seq]));
  const timestamp = Date.now();
  const stored = new Map<string, StoredEvent[]>();
  const rows: object[] = [];
  for (const { run, owner, events } of appends) {
    const end = last.get(run);
    if (end === undefined) continue;
    stored.set(
      run,
      events.map(({ key, type, data }, index) => {
        const seq = end - events.length + index + 1;
        const text = JSON.stringify(data);
        rows.push({ run, owner, seq, key: key ?? null, type, data: text, created_at: timestamp });
        return { seq, firstSeq: seq, type, data: text, timestamp };
      }),
    );
  }
  if (rows.length > 0 && (await insertAll(tx, JSON.stringify(rows))) < rows.length)
    throw new HappenedBefore(appends.flatMap(({ events }) => events.flatMap(({ key }) => key ?? [])));
  return stored;
}

/** The same statement for any number of runs. */
async function countUp(tx: Kysely<Schema>, counts: string): Promise<{ id: string; last_seq: number }[]> {
  const given = isPostgres(tx)
    ? sql`json_to_recordset(${counts}::json) as given(run text, owner text, fence bigint, count bigint)`
    : sql`(select value ->> 'run' as run, value ->> 'owner' as owner, value ->> 'fence' as fence,
        value ->> 'count' as count from json_each(${counts})) as given`;
  const { rows } = await sql<{ id: string; last_seq: number }>`
    update runs set last_seq = last_seq + given.count from ${given}
    where runs.id = given.run and runs.owner = given.owner and (given.fence is null or runs.fence = given.fence)
      and runs.status in ('queued', 'running', 'waiting_approval')
    returning id, last_seq`.execute(tx);
  return rows;
}

async function insertAll(tx: Kysely<Schema>, rows: string): Promise<number> {
  const given = isPostgres(tx)
    ? sql`select run, seq, owner, key, seq, type, created_at, data from json_to_recordset(${rows}::json)
        as given(run text, seq bigint, owner text, key text, type text, created_at bigint, data text)`
    : sql`select value ->> 'run', value ->> 'seq', value ->> 'owner', value ->> 'key', value ->> 'seq',
        value ->> 'type', value ->> 'created_at', value ->> 'data' from json_each(${rows})`;
  const { numAffectedRows } = await sql`
    insert into run_events (run, seq, owner, key, first_seq, type, created_at, data) ${given} where true
    on conflict do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** Characters of data that are read at once; one event always is. */
const MOST_READ = 256 * 1024;

/** The next events of the owner's run after `after`, oldest first: at most `limit`, and no more than can be held. */
export async function readEvents(
  db: Kysely<Schema>,
  owner: string,
  run: string,
  { after, limit }: { after: number; limit: number },
): Promise<StoredEvent[]> {
  const next = db
    .selectFrom('run_events')
    .select(['seq', 'first_seq', 'type', 'data', 'created_at'])
    .select(sql<number>`sum(length(data)) over (order by seq)`.as('size'))
    .where('owner', '=', owner)
    .where('run', '=', run)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .as('next');
  const rows = await db
    .selectFrom(next)
    .select(['seq', 'first_seq', 'type', 'data', 'created_at'])
    .where(sql<boolean>`size - length(data) < ${sql.lit(MOST_READ)}`)
    .orderBy('seq')
    .execute();
  return rows.map(({ first_seq, created_at, ...row }) => ({ ...row, firstSeq: first_seq, timestamp: created_at }));
}

/** The `seq` of the event with this key, undefined if it has not happened. */
export async function seqOfKey(
  db: Kysely<Schema>,
  owner: string,
  run: string,
  key: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('run_events')
    .select('seq')
    .where('owner', '=', owner)
    .where('run', '=', run)
    .where('key', '=', key)
    .executeTakeFirst();
  return row?.seq;
}

/** How far the logs of runs are, and with which fence they can be written. Gone ones are missing. */
export async function readHeads(
  db: Kysely<Schema>,
  runs: readonly string[],
): Promise<{ id: string; last_seq: number; fence: number }[]> {
  if (runs.length === 0) return [];
  return await db
    .selectFrom('runs')
    .select(['id', 'last_seq', 'fence'])
    .where(isAmong(db, 'id', runs))
    .execute();
}

/** Puts the events `from` to `to` of a run, which must be all there, into one with the number of the last. */
export async function foldEvents(
  tx: Kysely<Schema>,
  owner: string,
  run: string,
  { from, to, data }: { from: number; to: number; data: string },
): Promise<void> {
  await tx
    .deleteFrom('run_events')
    .where('owner', '=', owner)
    .where('run', '=', run)
    .where('seq', '>=', from)
    .where('seq', '<', to)
    .execute();
  await tx
    .updateTable('run_events')
    .set({ data, first_seq: from })
    .where('owner', '=', owner)
    .where('run', '=', run)
    .where('seq', '=', to)
    .execute();
}
