import { z } from 'zod';
import { textOf } from '../chat/content.ts';
import { type ConversationMessage, toMessage } from '../conversations/stored.ts';
import { NotFoundError } from '../errors.ts';
import { text } from '../http/schemas.ts';
import { listConversations } from '../storage/conversation-list.ts';
import { getConversation } from '../storage/conversations.ts';
import { lastMessages } from '../storage/messages.ts';
import { bounded, MAX_RESULT } from './mcp-bounds.ts';
import { defineTool } from './mcp-tool.ts';

/** Characters that are read at most; a message has more than its text. */
const MAX_READ = 1024 ** 2;

const Message = z.object({
  id: z.string(),
  seq: z.int(),
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  tool_calls: z.array(z.object({ name: z.string(), status: z.string() })),
  status: z.string(),
  created_at: z.string(),
});

const list = defineTool({
  name: 'list_conversations',
  scope: 'conversations:read',
  title: 'List conversations',
  description: 'Conversations, the one with the newest activity first.',
  input: z.strictObject({
    q: text(200).optional().describe('Words, or their beginnings, that the title or one message has, all of them.'),
    limit: z.int().min(1).max(100).default(20),
  }),
  output: z.object({
    conversations: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        model: z.string().nullable(),
        message_count: z.int(),
        updated_at: z.string(),
      }),
    ),
    total: z.int().describe('All that match; more than are listed if the list is cut.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ q, limit }, { request }) => {
    const { services, owner } = request;
    const { rows, total } = await listConversations(services.database.db, owner, { q, limit, offset: 0 });
    const conversations = rows.map((row) => ({
      id: row.id,
      title: row.title,
      model: row.model,
      message_count: row.message_count,
      updated_at: row.updated_at,
    }));
    return { conversations, total };
  },
});

const read = defineTool({
  name: 'read_conversation',
  scope: 'conversations:read',
  title: 'Read a conversation',
  description: 'The last messages of a conversation, oldest first. A long one is cut: has_more says so.',
  input: z.strictObject({
    id: text(200),
    limit: z.int().min(1).max(100).default(20).describe('Messages.'),
    before: z.int().min(1).optional().describe('Only messages before this seq: the next_before of the answer before.'),
  }),
  output: z.object({
    id: z.string(),
    title: z.string(),
    messages: z.array(Message),
    has_more: z.boolean().describe('There are messages before these.'),
    next_before: z.int().nullable(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ id, limit, before }, { request }) => {
    const { services, owner } = request;
    const { db } = services.database;
    const conversation = await getConversation(db, owner, id);
    if (!conversation) throw new NotFoundError('Conversation', id, 'list_conversations shows those that there are');
    const range = { owner, conversation: conversation.number, ...(before === undefined ? {} : { before }) };
    const { rows, hasMore } = await lastMessages(db, range, { limit, maxSize: MAX_READ });
    const all = rows.map((row) => shown(toMessage(id, row)));
    const messages = newest(all);
    const isCut = hasMore || messages.length < all.length;
    const nextBefore = isCut ? (messages[0]?.seq ?? null) : null;
    return { id, title: conversation.title, messages, has_more: isCut, next_before: nextBefore };
  },
});

/** Tools that read conversations. */
export const mcpConversationTools = [list, read];

function shown(message: ConversationMessage): z.output<typeof Message> {
  const { id, seq, role, content, toolCalls, status, createdAt } = message;
  const calls = toolCalls.map((call) => ({ name: call.name, status: call.status }));
  return { id, seq, role, text: bounded(textOf(content)), tool_calls: calls, status, created_at: createdAt };
}

/** The last ones that fit into one result; always one. */
function newest(messages: readonly z.output<typeof Message>[]): z.output<typeof Message>[] {
  let room = MAX_RESULT;
  const first = messages.findLastIndex(({ text: { length } }) => {
    room -= length;
    return room < 0;
  });
  return messages.slice(Math.min(first + 1, messages.length - 1));
}
