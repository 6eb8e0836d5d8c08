import type { JsonObject } from '../core/json.ts';
import type { AppError } from '../errors.ts';
import type {
  AnswerTextPart,
  AssistantPart,
  FinishReason,
  Origin,
  ProviderEvent,
  ReasoningPart,
  Source,
  ToolCall,
  Usage,
} from '../providers/chat-model.ts';

/** Gathers the events of one answer. */
export class Answer {
  /** What the model made, in order, each part with where it came from. */
  readonly parts: AssistantPart[] = [];
  readonly toolCalls: ToolCall[] = [];
  /** What the provider says the answer rests on. */
  readonly sources: Source[] = [];
  /** Of the tokens of its text, if that was asked for. */
  readonly logprobs: JsonObject[] = [];
  /** Undefined as long as the provider has given no counts. */
  usage: Usage | undefined;
  finishReason: FinishReason = 'stop';
  error: AppError | undefined;
  readonly #origin: Origin;
  /** The part that the next piece of its kind belongs to. */
  #open: AnswerTextPart | ReasoningPart | undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  get text(): string {
    return this.#textOf('text');
  }

  get reasoning(): string {
    return this.#textOf('reasoning');
  }

  add(event: ProviderEvent): void {
    switch (event.type) {
      case 'text':
      case 'reasoning':
        this.#piece(event);
        break;
      case 'tool-call': {
        const call = withOrigin(event.call, this.#origin);
        this.#open = undefined;
        this.toolCalls.push(call);
        this.parts.push({ type: 'tool-call', call });
        break;
      }
      case 'source':
        this.sources.push(event.source);
        break;
      case 'logprobs':
        for (const token of event.tokens) this.logprobs.push(token);
        break;
      case 'usage':
        this.usage = event.usage;
        break;
      case 'finish':
        this.finishReason = event.reason;
        break;
      case 'error':
        this.error = event.error;
        break;
    }
  }

  #piece({ type, text, data }: Extract<ProviderEvent, { type: 'text' | 'reasoning' }>): void {
    let part = this.#open;
    if (part?.type === type) part.text += text;
    else {
      part = { type, text, origin: this.#origin } as AnswerTextPart | ReasoningPart;
      this.parts.push(part);
    }
    if (data) part.data = data;
    this.#open = data ? undefined : part;
  }

  #textOf(type: 'text' | 'reasoning'): string {
    let all = '';
    for (const part of this.parts) if (part.type === type) all += part.text;
    return all;
  }
}

/** A call that its provider wants something back with, saying where it came from. */
export function withOrigin(call: ToolCall, { provider, model }: Origin): ToolCall {
  return call.data ? { ...call, origin: { provider, model } } : call;
}
