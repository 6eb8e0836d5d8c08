import { type Insertable, type Kysely, sql } from 'kysely';
import { newAssistantMessage, newUserMessage } from '../src/conversations/stored.ts';
import { newId } from '../src/core/ids.ts';
import { wordsOf } from '../src/core/words.ts';
import { saveCompaction } from '../src/storage/compactions.ts';
import { type ConversationRow, createConversation, writeConversation } from '../src/storage/conversations.ts';
import { isPostgres } from '../src/storage/dialect.ts';
import { insertMessages, type NewMessage } from '../src/storage/messages.ts';
import type { Schema } from '../src/storage/schema.ts';

const CONVERSATIONS_AT_ONCE = 250;
const MESSAGES_AT_ONCE = 500;
const FIRST = Date.UTC(2026, 0, 1);
const USER_WORDS = 16;
const ASSISTANT_WORDS = 32;
const SYSTEM_PROMPT = 'You are a helpful assistant.';
const SUMMARY_TIMES = 8;
const SUMMARY = 'They spoke about tides, harbours and the moon, and agreed to look at the tables of the next month. ';

/** The first of every so many conversations belongs to this task. */
export interface TaskLink {
  id: string;
  every: number;
}

/** One title in this many has the word `seldom`. */
const SELDOM = 1000;

const WORDS = 'tide moon harbour lantern ferry anchor gull pier compass current breeze reef mast sail chart'.split(' ');

/** Words that differ from one number to the next. */
function prose(n: number, words: number): string {
  return Array.from({ length: words }, (_, i) => WORDS[(n * 7 + i * (1 + (n % 11))) % WORDS.length]).join(' ');
}

/** Stores empty conversations, each a second younger than the one before, with titles that a search finds. */
export async function seedConversations(
  db: Kysely<Schema>,
  owner: string,
  count: number,
  task?: TaskLink,
): Promise<void> {
  for (let at = 0; at < count; at += CONVERSATIONS_AT_ONCE) {
    const rows = Array.from({ length: Math.min(CONVERSATIONS_AT_ONCE, count - at) }, (_, i) =>
      conversation(owner, at + i, task),
    );
    await db.transaction().execute(async (tx) => {
      const stored = await tx.insertInto('conversations').values(rows).returning(['number', 'title']).execute();
      await indexTitles(tx, stored);
    });
  }
  await db
    .insertInto('conversation_counts')
    .values({ owner, conversations: count })
    .onConflict((conflict) =>
      conflict
        .column('owner')
        .doUpdateSet((set) => ({ conversations: set('conversation_counts.conversations', '+', count) })),
    )
    .execute();
}

function conversation(owner: string, n: number, task?: TaskLink): Insertable<Schema['conversations']> {
  const at = new Date(FIRST + n * 1000).toISOString();
  return {
    id: newId('conv'),
    owner,
    title: `${n % SELDOM === 0 ? 'Seldom ' : ''}${prose(n, 4)} ${n}`,
    title_by: 'message',
    preset_id: 'profclaw-assistant',
    task_id: task && n % task.every === 0 ? task.id : null,
    ticket_id: null,
    model: null,
    system_prompt: null,
    temperature: null,
    max_tokens: null,
    metadata: '{}',
    created_at: at,
    updated_at: at,
  };
}

/** As `indexTitle` of search.ts does it, for many conversations in one statement. */
async function indexTitles(db: Kysely<Schema>, rows: readonly { number: number; title: string }[]): Promise<void> {
  const entries = JSON.stringify(rows.map(({ number, title }) => [number, wordsOf(title, 1000).join(' ')]));
  const insert = isPostgres(db)
    ? sql`insert into search (entry, words)
        select (value ->> 0)::bigint << 24, array_to_tsvector(string_to_array(value ->> 1, ' '))
        from json_array_elements(${entries}::json)`
    : sql`insert into search (rowid, words) select (value ->> 0) << 24, value ->> 1 from json_each(${entries})`;
  await insert.execute(db);
}

/** What a conversation is to hold. `live`: messages after a compaction that covers all others; absent: there is none. */
export interface MessageSeed {
  stored: number;
  live?: number;
}

/** Stores a conversation with messages, user and assistant in turn. */
export async function seedMessages(
  db: Kysely<Schema>,
  owner: string,
  { stored, live }: MessageSeed,
): Promise<ConversationRow> {
  const row = await createConversation(db, owner, {
    title: `${stored} messages`,
    titleBy: 'client',
    presetId: 'profclaw-assistant',
    taskId: null,
    ticketId: null,
    model: null,
    systemPrompt: SYSTEM_PROMPT,
    temperature: null,
    maxTokens: null,
    metadata: '{}',
  });
  let tokens = 0;
  for (let at = 0; at < stored; at += MESSAGES_AT_ONCE) {
    const some = Array.from({ length: Math.min(MESSAGES_AT_ONCE, stored - at) }, (_, i) => message(at + i, stored));
    tokens += some.reduce((sum, one) => sum + one.tokens, 0);
    const place = { owner, conversation: row.number, turn: 'seed', firstSeq: at + 1 };
    await db.transaction().execute((tx) => insertMessages(tx, place, some));
  }
  return await db.transaction().execute(async (tx) => {
    const filled = await writeConversation(tx, row, {
      last_seq: stored,
      message_count: stored,
      live_tokens: tokens,
      model: 'openai/gpt-4o-mini',
    });
    if (live === undefined) return filled;
    return await saveCompaction(tx, filled, {
      covered_seq: stored - live,
      shortened_seq: 0,
      original_count: stored,
      compacted_count: live + 1,
      tokens_before: tokens,
      tokens_after: 0,
      answer: null,
      summary: JSON.stringify(SUMMARY.repeat(SUMMARY_TIMES)),
    });
  });
}

/** What the model is sent of a conversation with a compaction, in the form of a completion's messages. */
export function liveMessages(live: number): { role: string; content: string }[] {
  const last = Array.from({ length: live }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: prose(live - i, i % 2 === 0 ? USER_WORDS : ASSISTANT_WORDS),
  }));
  return [
    { role: 'system', content: SYSTEM_PROMPT },
    { role: 'user', content: SUMMARY.repeat(SUMMARY_TIMES) },
    ...last,
  ];
}

/** The last messages of all conversations say the same, so that what is sent to the model is as long. */
function message(index: number, stored: number): NewMessage {
  const n = stored - index;
  if (index % 2 === 0) return newUserMessage(newId('msg'), { content: prose(n, USER_WORDS) }, 'complete');
  const body = {
    content: prose(n, ASSISTANT_WORDS),
    provider: 'openai',
    model: 'gpt-4o-mini',
    finishReason: 'stop',
  } as const;
  return newAssistantMessage(newId('msg'), body, [], 'complete');
}
