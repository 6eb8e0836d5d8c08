import { randomUUID } from 'node:crypto';
import type { AgentContext } from '../agent/context.ts';
import { changeConversation } from '../conversations/create.ts';
import { importConversation } from '../conversations/import.ts';
import { hashOf } from '../core/canonical.ts';
import { type IdPrefix, idFrom, newToken } from '../core/ids.ts';
import { NotFoundError } from '../errors.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import { claimKey } from '../storage/idempotency.ts';
import { importedMessages, type UiInput } from './ui-stream-schemas.ts';

const OURS = /^conv_[0-9a-z]{24}$/;
/** Characters of a hash that an id is made of: 120 bits. */
const HEX = 30;

/**
 * The id that something of an app's has with us: always the same one for the same owner and names, so that whoever asks
 * first makes it and all others find it.
 */
export function namedId(prefix: 'conv' | 'msg', owner: string, ...names: string[]): string {
  const hash = hashOf(['ui', prefix, owner, ...names]).slice(0, HEX);
  return `${prefix}_${BigInt(`0x${hash}`).toString(32).padStart(24, '0')}`;
}

/** The conversation of a chat, undefined if there is none yet. @param id the app's own, or a conversation's. */
export async function findChat({ db, owner }: AgentContext, id: string): Promise<ConversationRow | undefined> {
  return await getConversation(db, owner, OURS.test(id) ? id : namedId('conv', owner, id));
}

/**
 * The conversation of a chat, made if there is none yet: then with the messages before the last one.
 * @throws NotFoundError for the id of a conversation that is not there.
 */
export async function chatOf(context: AgentContext, input: UiInput): Promise<ConversationRow> {
  const { id, messages, systemPrompt } = input;
  const found = await findChat(context, id);
  if (found) {
    if (systemPrompt !== undefined && systemPrompt !== found.system_prompt)
      await changeConversation(context, found.id, { systemPrompt });
    return found;
  }
  if (OURS.test(id)) throw new NotFoundError('Conversation', id, 'a chat may have any other name');
  const name = namedId('conv', context.owner, id);
  const named = { ...context, newId: (): string => name };
  await importConversation(named, { systemPrompt, metadata: { chatId: id } }, importedMessages(messages.slice(0, -1)));
  const made = await findChat(context, id);
  if (!made) throw new NotFoundError('Conversation', name);
  return made;
}

/** What names a user's message: the same name makes the same ids. */
export interface MessageName {
  conversationId: string;
  messageId: string;
  content: unknown;
}

/**
 * The ids of a run and its message for requests that bring the same message: the message's is known at any time, the
 * run's for a day, as with an `Idempotency-Key`.
 */
export async function idsOfMessage(
  { db, owner }: Pick<AgentContext, 'db' | 'owner'>,
  { conversationId, messageId, content }: MessageName,
): Promise<(prefix: IdPrefix) => string> {
  const key = hashOf([conversationId, messageId, content]);
  const claim = await claimKey(db, { owner, route: 'ui-message', key, fingerprint: key, node: randomUUID() });
  // There is none only if it was removed at this moment.
  const token = ('token' in claim ? claim.token : undefined) ?? newToken();
  const message = namedId('msg', owner, conversationId, messageId);
  let made = 0;
  let isNamed = false;
  return (prefix) => {
    if (prefix !== 'msg' || isNamed) return idFrom(prefix, token, made++);
    isNamed = true;
    return message;
  };
}
