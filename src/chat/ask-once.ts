import { newId } from '../core/ids.ts';
import type { Message } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import { type ChatContext, type Completion, finishCompletion } from './complete.ts';
import { askInTurn } from './fallback.ts';

/** A question of the server's own: a title, a summary. */
export interface Question {
  messages: Message[];
  maxTokens?: number | undefined;
  signal: AbortSignal;
}

/** Asks the models in turn and waits for the whole answer. @throws AppError if none gives one. */
export async function askOnce(
  { providers, budget }: Pick<ChatContext, 'providers' | 'budget'>,
  refs: readonly ModelRef[],
  { messages, maxTokens, signal }: Question,
): Promise<Completion> {
  const startedAt = performance.now();
  const request = { messages, tools: [], toolChoice: undefined, temperature: undefined, maxTokens, stream: false };
  const answering = await askInTurn({ providers, budget, request, signal }, refs);
  return await finishCompletion({ id: newId('resp'), ...answering, startedAt });
}
