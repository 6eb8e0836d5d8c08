import { type Answering, askInTurn } from '../chat/fallback.ts';
import { AppError } from '../errors.ts';
import type { ChatRequest, Message } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import type { MessageRow } from '../storage/messages.ts';
import type { ConversationContext } from './context.ts';
import { MESSAGE_TOKENS, textTokens, toolTokens } from './estimate.ts';
import { summaryMessage, toModelMessages } from './history.ts';
import { type CompactionReport, type Remembered, remember, windowOf } from './memory.ts';
import type { OpenTurn } from './turns.ts';

/** What a model is asked beside the conversation's history. */
export interface Prompt extends Omit<ChatRequest, 'model' | 'messages'> {
  /** System prompts, in order. */
  system: readonly string[];
  /** The turn's own messages. */
  given: readonly MessageRow[];
}

/** An answer that has begun, and what was sent for it. */
export interface Asked {
  answering: Answering;
  compaction: CompactionReport | null;
  /** Tokens of all that was sent, estimated and not corrected. */
  estimate: number;
}

/** How far below a length that a provider has refused the next try stays: estimates are not exact. */
const SMALLER = 0.7;

/**
 * Asks the models in turn, with as much of the conversation as fits. If a provider finds it too long all the same, its
 * window is smaller than was known: then once more with less. At most four calls: two of the model, and a summary
 * before each.
 * @throws AppError if no model begins to answer.
 */
export async function askModel(
  context: ConversationContext,
  asking: { turn: OpenTurn; row: ConversationRow; refs: readonly ModelRef[]; prompt: Prompt },
): Promise<Asked> {
  const { turn, refs, prompt } = asking;
  const window = await windowOf(context, refs);
  const pinned = prompt.given.length === 0 ? 1 : 0;
  const fitting = { row: asking.row, refs, overhead: overheadOf(prompt), pinned, window } as const;
  const remembered = await remember(context, turn, fitting);
  const ask = ({ memory, live }: Remembered): Promise<Answering> => {
    const request = { ...prompt, messages: messagesOf(prompt, memory, live) };
    const { providers, budget } = context;
    return askInTurn({ providers, budget, request, signal: turn.signal }, refs);
  };
  const { compaction, estimate } = remembered;
  try {
    return { answering: await ask(remembered), compaction, estimate };
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'context_length_exceeded')) throw error;
    const row = await turn.write((_, current) => Promise.resolve(current));
    const known = Math.min(window, estimate * row.token_ratio * SMALLER);
    const less = await remember(context, turn, { ...fitting, row, window: known }).catch(() => undefined);
    if (!less?.compaction) throw error;
    return { answering: await ask(less), compaction: both(compaction, less.compaction), estimate: less.estimate };
  }
}

/** Two compactions, one after the other, as one. */
function both(first: CompactionReport | null, second: CompactionReport): CompactionReport {
  if (!first) return second;
  const { originalCount, tokensReduced } = first;
  return { ...second, originalCount, tokensReduced: tokensReduced + second.tokensReduced };
}

function overheadOf({ system, given, tools }: Prompt): number {
  const prompts = system.reduce((sum, text) => sum + textTokens(text) + MESSAGE_TOKENS, 0);
  return given.reduce((sum, row) => sum + givenTokens(row), prompts + toolTokens(tools));
}

/** Of a message with the results of its calls. */
export function givenTokens({ tokens, toolCalls }: MessageRow): number {
  return toolCalls.reduce((sum, call) => sum + call.tokens, tokens);
}

function messagesOf({ system, given }: Prompt, memory: Remembered['memory'], live: readonly MessageRow[]): Message[] {
  return [
    ...system.map((text): Message => ({ role: 'system', text })),
    ...(memory.coveredSeq > 0 ? [summaryMessage(memory.summary)] : []),
    ...toModelMessages(live, memory.shortenedSeq),
    ...toModelMessages(given),
  ];
}
