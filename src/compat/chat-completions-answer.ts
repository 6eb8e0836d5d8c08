import { Answer, withOrigin } from '../chat/answer.ts';
import { messageParts } from '../chat/assistant-parts.ts';
import { type StartedCompletion, toCompletion } from '../chat/complete.ts';
import type { JsonObject } from '../core/json.ts';
import { toAppError } from '../errors.ts';
import { sseEvent } from '../http/event-stream.ts';
import { Page } from '../http/page.ts';
import type { Wire } from '../http/wire.ts';
import { inputTokens, writtenTokens } from '../providers/catalog/cost.ts';
import type {
  AssistantPart,
  FinishReason,
  Origin,
  ProviderEvent,
  ProviderType,
  ToolCall,
  Usage,
} from '../providers/chat-model.ts';
import { CARRIER } from './chat-completions-messages.ts';

/** What a whole answer cost, in USD. */
const COST_HEADER = 'x-profclaw-cost';

/** Our reasons by OpenAI's names; `error`, which it has not, stays. */
const REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'content_filter',
  'tool-calls': 'tool_calls',
  error: 'error',
};

/** The fields that every chunk and the whole answer have. */
interface Head {
  id: string;
  object: 'chat.completion' | 'chat.completion.chunk';
  created: number;
  model: string;
}

/**
 * Waits for the whole answer, as a `chat.completion`.
 * @param headers of the answer, when all of its warnings are known. @throws AppError the provider's failure.
 */
export async function wholeAnswer(started: StartedCompletion, headers: () => Record<string, string>): Promise<Page> {
  const answer = new Answer(started.ref);
  const tokens: JsonObject[] = [];
  for await (const events of started.events) {
    for (const event of events) {
      answer.add(event);
      if (event.type === 'logprobs') tokens.push(...event.tokens);
    }
  }
  if (answer.error) throw answer.error;
  const { usage } = await toCompletion(started, answer);
  const body = {
    ...headOf(started, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: messageOf(answer),
        logprobs: tokens.length > 0 ? { content: tokens, refusal: null } : null,
        finish_reason: reasonOf(answer.finishReason, answer.toolCalls.length),
      },
    ],
    usage: usageOf(started.ref.provider, usage),
  };
  return new Page(JSON.stringify(body), {
    'content-type': 'application/json; charset=utf-8',
    ...(usage.cost === null ? {} : { [COST_HEADER]: `${usage.cost}` }),
    ...headers(),
  });
}

/**
 * The same in chunks, as they come; with `includeUsage` the last one has the counts and no choice. An error in the
 * middle is told in the wire's envelope, and then nothing follows, not even `[DONE]`.
 */
export async function* answerChunks(
  started: StartedCompletion,
  { includeUsage, wire, requestId }: { includeUsage: boolean; wire: Wire; requestId: string },
): AsyncGenerator<string> {
  const answer = new Answer(started.ref);
  const head = JSON.stringify(headOf(started, 'chat.completion.chunk')).slice(0, -1);
  const write = new ChunkWriter(head, started.ref);
  try {
    let out = write.delta('{"role":"assistant","content":""}');
    for await (const events of started.events) {
      for (const event of events) {
        answer.add(event);
        out += write.event(event);
      }
      if (answer.error) throw answer.error;
      if (out !== '') yield out;
      out = '';
    }
    const carried = carriedParts(answer.parts);
    if (carried) out += write.delta(JSON.stringify(carried));
    out += write.delta(
      '{}',
      `null,"finish_reason":${JSON.stringify(reasonOf(answer.finishReason, answer.toolCalls.length))}`,
    );
    if (includeUsage) {
      const usage = usageOf(started.ref.provider, answer.usage);
      out += `data: ${head},"choices":[],"usage":${JSON.stringify(usage)}}\n\n`;
    }
    yield `${out}data: [DONE]\n\n`;
  } catch (error) {
    yield sseEvent(wire.errorReply(toAppError(error), requestId).body);
  }
}

const GOES_ON = 'null,"finish_reason":null';
const AFTER_TEXT = `},"logprobs":${GOES_ON}}]}\n\n`;

/** Writes chunks around deltas: an answer has thousands, which differ in nothing else, so the rest is made once. */
class ChunkWriter {
  readonly #origin: Origin;
  readonly #before: string;
  readonly #beforeText: string;
  readonly #beforeReasoning: string;
  /** The calls of an answer are numbered through. */
  #calls = 0;

  /** @param head the beginning of every chunk, as JSON without its last brace. */
  constructor(head: string, origin: Origin) {
    this.#origin = origin;
    this.#before = `data: ${head},"choices":[{"index":0,"delta":`;
    this.#beforeText = `${this.#before}{"content":`;
    this.#beforeReasoning = `${this.#before}{"reasoning_content":`;
  }

  /** @param delta JSON already. @param rest what follows `"logprobs":`. */
  delta(delta: string, rest: string = GOES_ON): string {
    return `${this.#before}${delta},"logprobs":${rest}}]}\n\n`;
  }

  /** @returns '' for what has no place in a chunk. */
  event(event: ProviderEvent): string {
    switch (event.type) {
      case 'text':
        return event.text === '' ? '' : this.#beforeText + JSON.stringify(event.text) + AFTER_TEXT;
      case 'reasoning':
        return event.text === '' ? '' : this.#beforeReasoning + JSON.stringify(event.text) + AFTER_TEXT;
      case 'tool-call': {
        const call = { index: this.#calls++, ...toolCall(withOrigin(event.call, this.#origin)) };
        return this.delta(JSON.stringify({ tool_calls: [call] }));
      }
      case 'logprobs':
        return this.delta('{}', `${JSON.stringify({ content: event.tokens, refusal: null })},"finish_reason":null`);
      default:
        return '';
    }
  }
}

function headOf({ id, ref }: StartedCompletion, object: Head['object']): Head {
  const created = Math.floor(Date.now() / 1000);
  return { id: `chatcmpl-${id.slice('resp_'.length)}`, object, created, model: ref.model };
}

function messageOf(answer: Answer): object {
  const { text, reasoning, toolCalls, parts } = answer;
  return {
    role: 'assistant',
    content: text === '' && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(toolCall) } : {}),
    ...carriedParts(parts),
  };
}

/** What a client has to send back for the provider to find its own again. */
function carriedParts(all: readonly AssistantPart[]): object | undefined {
  const parts = messageParts(all);
  return parts && { extra_content: { [CARRIER]: { parts } } };
}

function toolCall({ id, name, arguments: given, invalidArguments, origin, data }: ToolCall): object {
  return {
    id,
    type: 'function',
    function: { name, arguments: invalidArguments ?? JSON.stringify(given) },
    ...(data ? { extra_content: { [CARRIER]: { origin, data } } } : {}),
  };
}

/** Some providers say `stop` after calls, which clients would take for the end. */
function reasonOf(reason: FinishReason, calls: number): string {
  return REASONS[reason === 'stop' && calls > 0 ? 'tool-calls' : reason];
}

const NO_USAGE: Usage = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };

/** With all that was read, from a cache or not, and all that was written, as OpenAI counts. */
function usageOf(provider: ProviderType, usage: Usage = NO_USAGE): object {
  const read = inputTokens(provider, usage);
  const written = writtenTokens(usage);
  const { cachedTokens = 0, cacheWriteTokens, reasoningTokens = 0 } = usage;
  return {
    prompt_tokens: read,
    completion_tokens: written,
    total_tokens: read + written,
    prompt_tokens_details: {
      cached_tokens: cachedTokens,
      ...(cacheWriteTokens === undefined ? {} : { cache_write_tokens: cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}
