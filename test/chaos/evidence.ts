import type { Kysely, Selectable } from 'kysely';
import type { Schema } from '../../src/storage/schema.ts';
import { type Place, withDatabase } from '../kill/state.ts';
import type { Json } from '../server.ts';
import type { Answered } from './approver.ts';
import type { Client } from './client.ts';
import type { Effect } from './effects.ts';
import type { TrackReport } from './people.ts';

type Table = 'approvals' | 'conversations' | 'messages' | 'run_events' | 'runs' | 'steering' | 'tool_calls' | 'turns';

/** What is stored of runs and conversations. */
export type Tables = { [Name in Table]: Selectable<Schema[Name]>[] };

/** What the API says of a run. */
export interface Shown {
  run: Json;
  /** The lines of data, by number. */
  events: Map<number, string>;
  messages: Json[];
}

/** All that can be said of a suite when it is over. */
export interface Evidence {
  tables: Tables;
  tracks: readonly TrackReport[];
  answers: readonly Answered[];
  effects: { note: Effect[]; mark: Effect[] };
  /** By run. */
  shown: ReadonlyMap<string, Shown>;
  /** Deaths of nodes that nobody wanted. */
  crashes: readonly string[];
  /** What the suite was stopped for before all had ended. */
  failures: readonly string[];
}

/** Reads the tables. */
export async function readTables(place: Place): Promise<Tables> {
  return await withDatabase(place, async (db) => ({
    approvals: await db.selectFrom('approvals').selectAll().orderBy('id').execute(),
    conversations: await db.selectFrom('conversations').selectAll().execute(),
    messages: await db.selectFrom('messages').selectAll().orderBy('conversation').orderBy('seq').execute(),
    run_events: await db.selectFrom('run_events').selectAll().orderBy('run').orderBy('seq').execute(),
    runs: await db.selectFrom('runs').selectAll().orderBy('id').execute(),
    steering: await db.selectFrom('steering').selectAll().execute(),
    tool_calls: await readCalls(db),
    turns: await db.selectFrom('turns').selectAll().execute(),
  }));
}

async function readCalls(db: Kysely<Schema>): Promise<Tables['tool_calls']> {
  const query = db.selectFrom('tool_calls').selectAll();
  return await query.orderBy('conversation').orderBy('seq').orderBy('position').execute();
}

/** Reads what the API says of runs that have ended. */
export async function readShown(client: Client, tracks: readonly TrackReport[]): Promise<Map<string, Shown>> {
  const shown = new Map<string, Shown>();
  for (const { run, conversation } of tracks) {
    if (run === undefined) continue;
    const { body } = await client.insist(`/runs/${run}`, {}, [200]);
    const told = await client.insist(`/conversations/${conversation}`, {}, [200]);
    const stream = await client.insist(`/runs/${run}/events`, {}, [200]);
    const events = String(stream.body).matchAll(/^id: (\d+)\ndata: (.*)$/gm);
    shown.set(run, {
      run: body.run,
      events: new Map(Array.from(events, ([, id, data]) => [Number(id), data ?? ''])),
      messages: told.body.messages,
    });
  }
  return shown;
}
