import { join } from 'node:path';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { databaseNow } from '../../src/storage/dialect.ts';
import type { TestServer } from '../server.ts';
import type { Talk } from './rig.ts';

/** What processes that died have left in a server's database. */
export interface Graveyard {
  db: Database['db'];
  /** The process died that was at work on the request with this key. */
  dieAtKey(key: string): Promise<void>;
  /**
   * The process died in the middle of the turn of the conversation's last `count` messages.
   * @param leaseMs how long others take it for alive from now on.
   */
  dieInTurn(talk: Talk, count?: number, leaseMs?: number): Promise<void>;
  /** How many turns a conversation has: one or none. */
  turns(talk: Talk): Promise<number>;
  /** Takes the turn away from who has it. */
  takeTurn(talk: Talk): Promise<void>;
  close(): Promise<void>;
}

/** Opens the database of a server beside it: its file, or the one at the URL. */
export async function openGraveyard(server: TestServer, databaseUrl?: string): Promise<Graveyard> {
  const { db, close } = await openDatabase({ databaseUrl, file: join(server.home, 'profclaw.db') });
  const inMs = (ms: number) => sql<number>`${databaseNow(db)} + ${sql.lit(ms)}`;
  const rowOf = (talk: Talk) =>
    db.selectFrom('conversations').select(['number', 'last_seq']).where('id', '=', talk.id).executeTakeFirstOrThrow();
  return {
    db,
    dieAtKey: async (key) => {
      await db
        .updateTable('idempotency_keys')
        .set({ status: null, content_type: null, answer: null, node: 'dead', expires_at: inMs(-1) })
        .where('key', '=', key)
        .execute();
    },
    dieInTurn: async (talk, count = 1, leaseMs = -1) => {
      const { number: conversation, last_seq } = await rowOf(talk);
      const first_seq = last_seq - count + 1;
      await db.transaction().execute(async (tx) => {
        await tx
          .updateTable('messages')
          .set({ status: 'running', error: null, turn: 'turn_dead' })
          .where('conversation', '=', conversation)
          .where('seq', '>=', first_seq)
          .execute();
        const turn = { conversation, owner: 'local', id: 'turn_dead', node: 'dead', first_seq };
        await tx
          .insertInto('turns')
          .values({ ...turn, expires_at: inMs(leaseMs) })
          .execute();
      });
    },
    turns: async (talk) => {
      const { number } = await rowOf(talk);
      return (await db.selectFrom('turns').select('id').where('conversation', '=', number).execute()).length;
    },
    takeTurn: async (talk) => {
      const { number } = await rowOf(talk);
      await db.deleteFrom('turns').where('conversation', '=', number).execute();
    },
    close,
  };
}
