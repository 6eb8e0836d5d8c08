import type { MessagePart } from '../chat/assistant-parts.ts';
import { type Content, textOf } from '../chat/content.ts';
import { DEFAULT_PRESET, findPreset } from '../chat/presets.ts';
import { newId } from '../core/ids.ts';
import { NotFoundError } from '../errors.ts';
import type { Source, ToolCall } from '../providers/chat-model.ts';
import type { ConversationInput } from '../storage/conversations.ts';
import type { NewMessage } from '../storage/messages.ts';
import { getTask } from '../storage/tasks.ts';
import { getTicket } from '../storage/tickets.ts';
import type { ConversationContext } from './context.ts';
import { makeCopy } from './copy.ts';
import { type ConversationFields, toInput } from './create.ts';
import {
  type AssistantBody,
  type CallWithResult,
  type Conversation,
  newAssistantMessage,
  newUserMessage,
  toConversation,
} from './stored.ts';
import { firstTitle } from './title.ts';

/** A message that comes from outside, already validated. Times are ISO-8601 UTC. */
export type ImportedMessage =
  | { role: 'user'; content: Content; createdAt?: string | undefined }
  | {
      role: 'assistant';
      content: string;
      reasoning?: string | undefined;
      parts?: readonly MessagePart[] | undefined;
      sources?: readonly Source[] | undefined;
      provider?: string | undefined;
      model?: string | undefined;
      tokenUsage?: { prompt: number; completion: number; total: number } | undefined;
      cost?: number | undefined;
      finishReason?: AssistantBody['finishReason'];
      duration?: number | undefined;
      toolCalls: readonly ImportedCall[];
      createdAt?: string | undefined;
    };

/** A call as an export has it. */
export type ImportedCall = ToolCall & Omit<CallWithResult, 'call'>;

/**
 * Stores a conversation that was exported here or elsewhere, under new ids. Links to tasks, tickets and presets that
 * are not here are dropped; its system prompt is in it.
 */
export async function importConversation(
  context: ConversationContext,
  fields: ConversationFields,
  messages: readonly ImportedMessage[],
): Promise<Conversation> {
  const { db, owner } = context;
  const { taskId, ticketId, presetId } = fields;
  const input = await toInput(context, {
    ...fields,
    presetId: await knownPreset(context, presetId),
    taskId: taskId !== undefined && (await getTask(db, owner, taskId)) ? taskId : undefined,
    ticketId: ticketId !== undefined && (await getTicket(db, owner, ticketId)) ? ticketId : undefined,
  });
  const named = fields.title === undefined ? { ...input, ...titleOf(messages) } : input;
  return toConversation(await makeCopy(context, { input: named, messages: stored(messages) }));
}

/** As if its messages had been sent here. */
function titleOf(messages: readonly ImportedMessage[]): Partial<Pick<ConversationInput, 'title' | 'titleBy'>> {
  const title = firstTitle(messages.flatMap(({ role, content }) => (role === 'user' ? [textOf(content)] : [])));
  return title === '' ? {} : { title, titleBy: 'message' };
}

async function knownPreset({ db, owner }: ConversationContext, id: string | undefined): Promise<string> {
  if (id === undefined) return DEFAULT_PRESET;
  try {
    return (await findPreset(db, owner, id)).id;
  } catch (error) {
    if (error instanceof NotFoundError) return DEFAULT_PRESET;
    throw error;
  }
}

function* stored(messages: readonly ImportedMessage[]): Generator<NewMessage> {
  for (const message of messages) {
    const id = newId('msg');
    if (message.role === 'user') {
      yield newUserMessage(id, { content: message.content }, 'complete', message.createdAt);
      continue;
    }
    const { role: _, toolCalls, tokenUsage, createdAt, ...body } = message;
    const usage = tokenUsage && {
      promptTokens: tokenUsage.prompt,
      completionTokens: tokenUsage.completion,
      totalTokens: tokenUsage.total,
    };
    const calls = toolCalls.map(({ result, status, duration, ...call }) => ({ call, result, status, duration }));
    yield newAssistantMessage(id, { ...body, usage }, calls, 'complete', createdAt);
  }
}
