import { textOf } from '../chat/content.ts';
import { NotFoundError } from '../errors.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import type { MessageRow } from '../storage/messages.ts';
import type { ConversationContext } from './context.ts';
import { readAll } from './read-all.ts';
import { type ConversationMessage, toConversation, toMessage, toolCallsOf } from './stored.ts';

/** What the JSON form calls itself. */
export const EXPORT_FORMAT = 'profclaw.conversation';

/** In which forms a conversation can be had. */
export const EXPORT_FORMATS = ['json', 'markdown'] as const;

/** The pieces of a conversation's export, in order. @throws NotFoundError before the first. */
export async function exportConversation(
  { db, owner }: ConversationContext,
  id: string,
  format: (typeof EXPORT_FORMATS)[number],
): Promise<AsyncIterable<string>> {
  const row = await getConversation(db, owner, id);
  if (!row) throw new NotFoundError('Conversation', id);
  // What is added while it is read is left out.
  const messages = readAll(db, row, { before: row.last_seq + 1 });
  return format === 'json' ? json(row, messages) : markdown(row, messages);
}

async function* json(row: ConversationRow, messages: AsyncIterable<MessageRow>): AsyncGenerator<string> {
  const head = { format: EXPORT_FORMAT, version: 1, conversation: toConversation(row) };
  yield `${JSON.stringify(head).slice(0, -1)},"messages":[`;
  let separator = '\n';
  for await (const message of messages) {
    yield separator + JSON.stringify(wholeMessage(row.id, message));
    separator = ',\n';
  }
  yield '\n]}\n';
}

/** A message with what its provider wants back with the calls, so that nothing is missing after an import. */
function wholeMessage(conversationId: string, row: MessageRow): object {
  const message = toMessage(conversationId, row);
  const calls = toolCallsOf(row);
  return {
    ...message,
    // A result that is kept as a whole stays here, so its id would mean nothing.
    toolCalls: message.toolCalls.map(({ resultId: _, ...record }, index) => {
      const { origin, data } = calls[index] ?? {};
      return { ...record, ...(origin ? { origin } : {}), ...(data ? { data } : {}) };
    }),
  };
}

async function* markdown(row: ConversationRow, messages: AsyncIterable<MessageRow>): AsyncGenerator<string> {
  yield `# ${row.title || 'Conversation'}\n`;
  for await (const message of messages) yield `\n${sectionOf(toMessage(row.id, message))}`;
}

function sectionOf(message: ConversationMessage): string {
  const who = message.role === 'user' ? 'User' : `Assistant${message.model === null ? '' : ` (${message.model})`}`;
  const failed = message.error === null ? '' : `\n_Failed: ${message.error.message}_\n`;
  const text = textOf(message.content);
  const calls = message.toolCalls.map(
    ({ name, arguments: args, result }) =>
      `\nCalled \`${name}\`:\n\n${fenced(JSON.stringify(args, null, 2), 'json')}\n${result === null ? '' : `\n${fenced(result, 'text')}\n`}`,
  );
  return [`## ${who}\n`, failed, text === '' ? '' : `\n${text}\n`, ...media(message), ...calls].join('');
}

function media({ content }: ConversationMessage): string[] {
  if (typeof content === 'string') return [];
  return content.flatMap((part) => {
    if (part.type === 'text') return [];
    const url = part.type === 'image' ? part.image : part.file;
    return [`\n_A ${part.type}: ${url.startsWith('data:') ? url.slice(5, url.indexOf(';')) : url}_\n`];
  });
}

/** A code block that the text cannot close. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
