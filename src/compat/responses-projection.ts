import { newId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { type AppError, toAppError } from '../errors.ts';
import { inputTokens, writtenTokens } from '../providers/catalog/cost.ts';
import type { FinishReason, ProviderEvent, Source, ToolCall, Usage } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import type { Carried } from './messages-carrier.ts';
import { openAiError } from './openai-wire.ts';
import { carriedOfCall, writeOpaque } from './responses-carrier.ts';
import type { ResponseRequest } from './responses-schema.ts';

/** An event of the wire. Numbers count from 0 within a response. */
export interface ResponseEvent extends JsonObject {
  type: string;
  sequence_number: number;
}

/** The item that pieces are added to. */
interface Open {
  kind: 'text' | 'reasoning';
  id: string;
  text: string;
  logprobs: JsonObject[];
}

/** Makes of an answer's events those of OpenAI's Responses, and the response itself. */
export class ResponseProjection {
  readonly #request: ResponseRequest;
  readonly #ref: ModelRef;
  readonly #id: string;
  readonly #createdAt = Math.floor(Date.now() / 1000);
  readonly #output: JsonObject[] = [];
  #events: ResponseEvent[] = [];
  #number = 0;
  #open: Open | undefined;
  /** Those that no message has taken yet. */
  #sources: Source[] = [];
  #usage: Usage | undefined;
  #reason: FinishReason = 'stop';
  /** What the answer has failed of; undefined as long as it has not. */
  error: AppError | undefined;

  /** @param id `resp_…`. */
  constructor(request: ResponseRequest, ref: ModelRef, id: string) {
    this.#request = request;
    this.#ref = ref;
    this.#id = id;
  }

  /** The events that a stream begins with. */
  begin(): ResponseEvent[] {
    this.#emit('response.created', { response: this.response('in_progress') });
    this.#emit('response.in_progress', { response: this.response('in_progress') });
    return this.#taken();
  }

  /** What some events of the answer add. */
  add(events: readonly ProviderEvent[]): ResponseEvent[] {
    for (const event of events) this.#add(event);
    return this.#taken();
  }

  /** The events that a stream ends with. @param cause what was thrown, if anything was. */
  end(cause?: unknown): ResponseEvent[] {
    if (cause !== undefined) this.error = toAppError(cause);
    const status = this.#status();
    this.#close(status === 'completed' ? 'completed' : 'incomplete');
    this.#emit(`response.${status}`, { response: this.response(status) });
    return this.#taken();
  }

  /** The response as it is now. @param status absent: as it ended. */
  response(status: string = this.#status()): JsonObject {
    const isOver = status !== 'in_progress';
    const { provider, model } = this.#ref;
    return {
      id: this.#id,
      object: 'response',
      created_at: this.#createdAt,
      completed_at: status === 'completed' ? Math.floor(Date.now() / 1000) : null,
      status,
      error: status === 'failed' && this.error ? failure(this.error) : null,
      incomplete_details: status === 'incomplete' ? { reason: this.#shortOf() } : null,
      model: `${provider}/${model}`,
      output: isOver ? this.#output : [],
      usage: isOver && this.#usage ? usageOf(this.#ref, this.#usage) : null,
      ...echo(this.#request),
    };
  }

  #status(): 'completed' | 'incomplete' | 'failed' {
    if (this.error || this.#reason === 'error') return 'failed';
    return this.#reason === 'length' || this.#reason === 'content-filter' ? 'incomplete' : 'completed';
  }

  #shortOf(): string {
    return this.#reason === 'length' ? 'max_output_tokens' : 'content_filter';
  }

  #add(event: ProviderEvent): void {
    switch (event.type) {
      case 'text':
        this.#text(event);
        break;
      case 'reasoning':
        this.#reasoning(event);
        break;
      case 'tool-call':
        this.#call(event.call);
        break;
      case 'source':
        this.#sources.push(event.source);
        break;
      case 'logprobs':
        if (this.#open?.kind === 'text') this.#open.logprobs.push(...event.tokens);
        break;
      case 'usage':
        this.#usage = event.usage;
        break;
      case 'finish':
        this.#reason = event.reason;
        break;
      case 'error':
        this.error = event.error;
        break;
    }
  }

  #text({ text, data }: Extract<ProviderEvent, { type: 'text' }>): void {
    if (text !== '') {
      const open = this.#opened('text');
      open.text += text;
      this.#emit('response.output_text.delta', { ...this.#place(), content_index: 0, delta: text, logprobs: [] });
    }
    if (!data) return;
    const place = this.#open?.kind === 'text' ? 'before' : 'empty';
    this.#close('completed');
    this.#carrier({ origin: this.#origin(), data, text: place });
  }

  #reasoning({ text, data }: Extract<ProviderEvent, { type: 'reasoning' }>): void {
    if (text !== '') {
      const open = this.#opened('reasoning');
      open.text += text;
      this.#emit('response.reasoning_summary_text.delta', { ...this.#place(), summary_index: 0, delta: text });
    }
    if (!data) return;
    const carried = { origin: this.#origin(), data };
    if (this.#open?.kind === 'reasoning') this.#closeReasoning(this.#open, carried, 'completed');
    else this.#carrier(carried);
  }

  #call(call: ToolCall): void {
    this.#close('completed');
    const carried = carriedOfCall(call, this.#origin());
    if (carried) this.#carrier(carried);
    const id = itemId('fc');
    const written = call.invalidArguments ?? JSON.stringify(call.arguments);
    const item = { id, type: 'function_call', call_id: call.id, name: call.name };
    this.#emit('response.output_item.added', {
      output_index: this.#output.length,
      item: { ...item, arguments: '', status: 'in_progress' },
    });
    const place = { item_id: id, output_index: this.#output.length };
    this.#emit('response.function_call_arguments.delta', { ...place, delta: written });
    this.#emit('response.function_call_arguments.done', { ...place, name: call.name, arguments: written });
    this.#done({ ...item, arguments: written, status: 'completed' });
  }

  /** An item without text, for what clients only send back. */
  #carrier(carried: Carried): void {
    this.#close('completed');
    const item = { id: itemId('rs'), type: 'reasoning', summary: [] };
    this.#emit('response.output_item.added', { output_index: this.#output.length, item });
    this.#done({ ...item, encrypted_content: writeOpaque(carried) });
  }

  #opened(kind: Open['kind']): Open {
    if (this.#open?.kind === kind) return this.#open;
    this.#close('completed');
    const open: Open = { kind, id: itemId(kind === 'text' ? 'msg' : 'rs'), text: '', logprobs: [] };
    this.#open = open;
    const isText = kind === 'text';
    const item = isText ? messageItem(open.id, 'in_progress', []) : { id: open.id, type: 'reasoning', summary: [] };
    this.#emit('response.output_item.added', { output_index: this.#output.length, item });
    if (isText) this.#emit('response.content_part.added', { ...this.#place(), content_index: 0, part: textPart('') });
    else {
      const part = { type: 'summary_text', text: '' };
      this.#emit('response.reasoning_summary_part.added', { ...this.#place(), summary_index: 0, part });
    }
    return open;
  }

  #close(status: 'completed' | 'incomplete'): void {
    const open = this.#open;
    if (open?.kind === 'text') this.#closeText(open, status);
    else if (open) this.#closeReasoning(open, { origin: this.#origin() }, status);
  }

  #closeText(open: Open, status: 'completed' | 'incomplete'): void {
    const { text, logprobs } = open;
    const place = { ...this.#place(), content_index: 0 };
    const annotations = this.#sources.map(({ url, title }) => ({
      type: 'url_citation',
      url,
      title: title ?? url,
      start_index: 0,
      end_index: text.length,
    }));
    for (const [annotation_index, annotation] of annotations.entries())
      this.#emit('response.output_text.annotation.added', { ...place, annotation_index, annotation });
    this.#emit('response.output_text.done', { ...place, text, logprobs });
    const part = { ...textPart(text), annotations, logprobs };
    this.#emit('response.content_part.done', { ...place, part });
    this.#sources = [];
    this.#done(messageItem(open.id, status, [part]));
  }

  #closeReasoning({ id, text }: Open, carried: Carried, status: 'completed' | 'incomplete'): void {
    const place = { ...this.#place(), summary_index: 0 };
    const part = { type: 'summary_text', text };
    this.#emit('response.reasoning_summary_text.done', { ...place, text });
    this.#emit('response.reasoning_summary_part.done', { ...place, part });
    this.#done({ id, type: 'reasoning', summary: [part], encrypted_content: writeOpaque(carried), status });
  }

  #done(item: JsonObject): void {
    this.#emit('response.output_item.done', { output_index: this.#output.length, item });
    this.#output.push(item);
    this.#open = undefined;
  }

  #place(): { item_id: string; output_index: number } {
    return { item_id: this.#open?.id ?? '', output_index: this.#output.length };
  }

  #origin(): { provider: string; model: string } {
    return { provider: this.#ref.provider, model: this.#ref.model };
  }

  #emit(type: string, fields: JsonObject): void {
    this.#events.push({ type, sequence_number: this.#number++, ...fields });
  }

  #taken(): ResponseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

function itemId(prefix: string): string {
  return `${prefix}_${newId('msg').slice('msg_'.length)}`;
}

function messageItem(id: string, status: string, content: JsonObject[]): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function failure(error: AppError): { code: string; message: string } {
  const { code, message } = openAiError(error).error;
  return { code: code ?? 'server_error', message };
}

function usageOf({ provider }: ModelRef, usage: Usage): JsonObject {
  const input = inputTokens(provider, usage);
  const output = writtenTokens(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: input + output,
  };
}

/** What was asked, as the wire says it again. */
function echo(request: ResponseRequest): JsonObject {
  return {
    instructions: request.instructions ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    temperature: request.temperature ?? null,
    top_p: request.top_p ?? null,
    tool_choice: request.tool_choice ?? 'auto',
    tools: (request.tools ?? []).map((tool) => ({ ...tool, strict: tool.strict ?? false })),
    max_output_tokens: request.max_output_tokens ?? null,
    top_logprobs: request.top_logprobs ?? 0,
    text: { format: request.text?.format ?? { type: 'text' } },
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    truncation: 'disabled',
    previous_response_id: null,
    store: false,
    background: false,
  };
}
