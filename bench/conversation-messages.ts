import type { ConversationRow } from '../src/storage/conversations.ts';
import { ConversationClient } from './conversation-client.ts';
import { liveMessages } from './conversation-seed.ts';
import type { Running } from './processes.ts';
import { type Subject, type Timing, takeTurns } from './turn-taking.ts';

/** Messages after the compaction of a conversation. */
export const LIVE = 8;

/** How many messages the compared conversations hold. */
export const STORED = [10, 1000, 100_000] as const;

/** Of these nothing is covered by a compaction. */
export const UNCOMPACTED = 1000;

const ROUNDS = 150;
const UNCOMPACTED_ROUNDS = 25;
const WARM_UP = 40;
const QUESTION = 'And when does the ferry leave the harbour, if the tide allows it?';

/** What one more message takes. */
export interface MessageTimings {
  /** The upstream asked without the server between: what of every other time is not the server's. */
  upstream: Timing;
  /** As many messages as with a conversation, but none stored. */
  completion: Timing;
  stored: Record<(typeof STORED)[number], Timing>;
  uncompacted: Timing;
}

/** Sends one message at a time to every conversation in turn, and takes it back each time. */
export async function timeMessages(
  server: Running,
  upstream: Running,
  seeded: { stored: readonly ConversationRow[]; uncompacted: ConversationRow },
): Promise<MessageTimings> {
  const client = new ConversationClient(server.url);
  const direct = new ConversationClient(upstream.url);
  const model = 'openai/gpt-4o-mini';
  const messages = [...liveMessages(LIVE), { role: 'user', content: QUESTION }];
  const subjects: Subject[] = [
    {
      name: 'upstream',
      pid: upstream.pid,
      run: async () => void (await direct.text('POST', '/v1/chat/completions', { model, messages })),
    },
    {
      name: 'completion',
      pid: server.pid,
      run: async () => void (await client.text('POST', '/api/chat/completions', { model, messages })),
    },
    ...seeded.stored.map((row) => conversation(client, server.pid, row)),
  ];
  const timings = new Map([
    ...(await takeTurns(subjects, ROUNDS, WARM_UP)),
    // By itself: the others would have to clear away what so long a history leaves in memory.
    ...(await takeTurns([conversation(client, server.pid, seeded.uncompacted)], UNCOMPACTED_ROUNDS, 2)),
  ]);
  await client.close();
  await direct.close();
  const of = (name: string): Timing => timings.get(name) ?? { took: Number.NaN, cpu: Number.NaN };
  const [small, middle, large] = seeded.stored.map(({ id }) => of(id));
  if (!small || !middle || !large) throw new Error('there is a conversation of each size');
  return {
    upstream: of('upstream'),
    completion: of('completion'),
    stored: { 10: small, 1000: middle, 100000: large },
    uncompacted: of(seeded.uncompacted.id),
  };
}

function conversation(client: ConversationClient, pid: number, { id }: ConversationRow): Subject {
  let sent = '';
  return {
    name: id,
    pid,
    run: async () => {
      const { userMessage, assistantMessage } = await client.send(id, QUESTION);
      if (assistantMessage.content === '') throw new Error('an empty answer');
      sent = userMessage.id;
    },
    undo: async () => void (await client.text('DELETE', `/api/chat/conversations/${id}/messages/${sent}`)),
  };
}
