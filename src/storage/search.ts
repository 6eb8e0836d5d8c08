import { type Kysely, type RawBuilder, sql } from 'kysely';
import { wordsOf } from '../core/words.ts';
import { isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** Of a longer message only the beginning is found. PostgreSQL has no room for the words of more than about 300,000. */
export const MAX_INDEXED_CHARS = 100_000;

const TITLE_SEQ = 0;
const MAX_SEQ = 2 ** 24 - 1;
const MAX_QUERY_WORDS = 32;

/** A text that is found: of the title, whose `seq` is 0, or of a message. */
export interface SearchEntry {
  seq: number;
  text: string;
}

/**
 * Makes texts of a conversation findable, each `seq` once; one that is there already is replaced. What has no words is
 * left out, as is a `seq` of 2^24 and more.
 */
export async function indexEntries(
  db: Kysely<Schema>,
  conversation: number,
  entries: readonly SearchEntry[],
): Promise<void> {
  const rows: [seq: number, words: string][] = [];
  for (const { seq, text } of entries) {
    const words = wordsOf(text, MAX_INDEXED_CHARS);
    if (words.length > 0 && seq <= MAX_SEQ) rows.push([seq, words.join(' ')]);
  }
  if (rows.length === 0) return;
  // One statement for all: SQLite writes its index to disk with every statement.
  const first = firstKey(conversation);
  const insert = isPostgres(db)
    ? sql`insert into search (entry, words)
        select ${first} + (value ->> 0)::bigint, array_to_tsvector(string_to_array(value ->> 1, ' '))
        from json_array_elements(${JSON.stringify(rows)}::json)
        on conflict (entry) do update set words = excluded.words`
    : sql`insert or replace into search (rowid, words)
        select ${first} + (value ->> 0), value ->> 1 from json_each(${JSON.stringify(rows)})`;
  await insert.execute(db);
}

/** Makes a conversation findable by this title and no more by the one before. */
export async function indexTitle(db: Kysely<Schema>, conversation: number, title: string): Promise<void> {
  await unindexEntries(db, conversation, TITLE_SEQ, TITLE_SEQ);
  await indexEntries(db, conversation, [{ seq: TITLE_SEQ, text: title }]);
}

/** Removes a conversation's entries from `fromSeq` to `toSeq`, both included; Infinity is the last. */
export async function unindexEntries(
  db: Kysely<Schema>,
  conversation: number,
  fromSeq: number,
  toSeq: number,
): Promise<void> {
  const first = firstKey(conversation);
  // Beyond that lies the next conversation.
  const last = Math.min(toSeq, MAX_SEQ);
  const entry = sql.ref(isPostgres(db) ? 'entry' : 'rowid');
  await sql`delete from search
    where ${entry} between ${first} + cast(${fromSeq} as bigint) and ${first} + cast(${last} as bigint)`.execute(db);
}

/**
 * A query, without parentheses, for the numbers of all conversations, whoever owns them, whose title or one of whose
 * messages has all words of `q`, each of them at least as the beginning of a word; a number may come more than once.
 * Undefined if `q` has no word: then nothing matches. Words after the 32nd are not looked at.
 */
export function matching(db: Kysely<Schema>, q: string): RawBuilder<number> | undefined {
  const words = wordsOf(q, MAX_INDEXED_CHARS).slice(0, MAX_QUERY_WORDS);
  if (words.length === 0) return undefined;
  if (isPostgres(db)) {
    const query = words.map((word) => `'${word}':*`).join(' & ');
    return sql<number>`select entry >> 24 as number from search where words @@ ${query}::tsquery`;
  }
  const query = words.map((word) => `"${word}"*`).join(' AND ');
  return sql<number>`select rowid >> 24 as number from search where search match ${query}`;
}

/** The key of a conversation's entry 0. In SQL, because keys go beyond what a JavaScript number holds exactly. */
function firstKey(conversation: number): RawBuilder<number> {
  return sql<number>`cast(${conversation} as bigint) * 16777216`;
}
