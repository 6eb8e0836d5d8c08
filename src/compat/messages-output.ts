import { Answer } from '../chat/answer.ts';
import type { StartedCompletion } from '../chat/complete.ts';
import type { JsonObject } from '../core/json.ts';
import { AppError } from '../errors.ts';
import { inputTokens } from '../providers/catalog/cost.ts';
import type { FinishReason, ProviderType, Usage } from '../providers/chat-model.ts';
import { callCarrier, textCarrier, thinkingBlock } from './messages-carrier.ts';

/** Counts of tokens under Anthropic's names. */
export interface MessageUsage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
}

/** How an answer ended. */
export interface MessageEnd {
  stop_reason: string;
  stop_sequence: string | null;
}

const REASONS: Readonly<Record<Exclude<FinishReason, 'error'>, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'content-filter': 'refusal',
  'tool-calls': 'tool_use',
};

/** What an answer has in it before anything of it has come. */
export function emptyMessage(id: string, model: string, usage: MessageUsage): JsonObject {
  return {
    ...{ id, type: 'message', role: 'assistant', model, content: [] },
    ...{ stop_reason: null, stop_sequence: null, usage },
  };
}

/** @throws AppError if the provider says no more than that something went wrong. */
export function endOf(reason: FinishReason, stopSequence: string | undefined, provider: ProviderType): MessageEnd {
  if (reason === 'error')
    throw new AppError('provider_protocol', `${provider} ended the answer with an error and did not say which`);
  if (reason === 'stop' && stopSequence !== undefined)
    return { stop_reason: 'stop_sequence', stop_sequence: stopSequence };
  return { stop_reason: REASONS[reason], stop_sequence: null };
}

/** Counts in Anthropic's way, where the input leaves out what came from or went to a cache; zeros where there are none. */
export function messageUsage(provider: ProviderType, usage: Usage | undefined): MessageUsage {
  const { cachedTokens = 0, cacheWriteTokens = 0, completionTokens = 0 } = usage ?? {};
  const all = usage ? inputTokens(provider, usage) : 0;
  return {
    input_tokens: Math.max(0, all - cachedTokens - cacheWriteTokens),
    output_tokens: completionTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
  };
}

/** Waits for the whole answer. @throws AppError the provider's failure, even if it came in the middle. */
export async function wholeMessage(started: StartedCompletion, id: string): Promise<JsonObject> {
  const { ref, events } = started;
  const answer = new Answer(ref);
  let stopSequence: string | undefined;
  for await (const batch of events) {
    for (const event of batch) {
      answer.add(event);
      if (event.type === 'finish') stopSequence = event.stopSequence;
    }
  }
  if (answer.error) throw answer.error;
  return {
    ...emptyMessage(id, ref.model, messageUsage(ref.provider, answer.usage)),
    content: contentOf(answer),
    ...endOf(answer.finishReason, stopSequence, ref.provider),
  };
}

function contentOf({ parts }: Answer): JsonObject[] {
  return parts.flatMap((part): JsonObject[] => {
    if (part.type === 'reasoning') return blocks(thinkingBlock(part));
    if (part.type === 'text') {
      const { text } = part;
      return [...(text === '' ? [] : [{ type: 'text', text }]), ...blocks(textCarrier(part))];
    }
    const { id, name, arguments: input } = part.call;
    return [...blocks(callCarrier(part.call)), { type: 'tool_use', id, name, input }];
  });
}

function blocks(block: object | undefined): JsonObject[] {
  return block ? [{ ...block }] : [];
}
