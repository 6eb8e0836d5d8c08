import type { JsonObject } from '../core/json.ts';
import { type AppError, toAppError } from '../errors.ts';
import type { FinishReason, ProviderEvent, Source, ToolCall, Usage } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import type { Carried } from './messages-carrier.ts';
import { carriedOfCall, writeOpaque } from './responses-carrier.ts';
import { type ItemKind, itemId } from './responses-ids.ts';
import { type ResponseHead, type ResponseStatus, responseObject, usageOf } from './responses-object.ts';
import { customNames, textGiven } from './responses-tools.ts';

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
  readonly #head: ResponseHead;
  readonly #ref: Pick<ModelRef, 'provider' | 'model'>;
  /** The tools that take a text. */
  readonly #custom: ReadonlySet<string>;
  readonly #output: JsonObject[] = [];
  #events: ResponseEvent[] = [];
  #number = 0;
  #open: Open | undefined;
  /** So many items at the start do not count any more. */
  #void = 0;
  #pieces = 1;
  /** Those that no message has taken yet. */
  #sources: Source[] = [];
  #usage: Usage | undefined;
  #reason: FinishReason = 'stop';
  /** What the answer has failed of; undefined as long as it has not. */
  error: AppError | undefined;

  /** @param ref the model that answers. */
  constructor(head: Omit<ResponseHead, 'model'>, ref: Pick<ModelRef, 'provider' | 'model'>) {
    this.#head = { ...head, model: `${ref.provider}/${ref.model}` };
    this.#ref = ref;
    this.#custom = customNames(head.echo.tools);
  }

  /** The events that a stream begins with. */
  begin(): ResponseEvent[] {
    return [...this.say('created', 'in_progress'), ...this.say('in_progress', 'in_progress')];
  }

  /** An event about the response as a whole. */
  say(name: 'created' | 'queued' | 'in_progress', status: ResponseStatus): ResponseEvent[] {
    this.#emit(`response.${name}`, { response: this.response(status) });
    return this.#taken();
  }

  /** What some events of the answer add. @param pieces how many pieces of text one of them stands for. */
  add(events: readonly ProviderEvent[], pieces = 1): ResponseEvent[] {
    this.#pieces = pieces;
    for (const event of events) this.#add(event);
    return this.#taken();
  }

  /** What was said so far does not count any more. */
  void(): ResponseEvent[] {
    this.#close('incomplete');
    this.#void = this.#output.length;
    return this.#taken();
  }

  /** The events that a stream ends with whose response is known otherwise, with the items that it has not had. */
  settle(response: JsonObject): ResponseEvent[] {
    this.#close(response.status === 'completed' ? 'completed' : 'incomplete');
    for (const item of (response.output as JsonObject[]).slice(this.#output.length - this.#void)) {
      this.#emit('response.output_item.added', { output_index: this.#output.length, item });
      this.#done(item);
    }
    const name = response.status === 'cancelled' ? 'incomplete' : response.status;
    this.#emit(`response.${name as string}`, { response });
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
  response(status: ResponseStatus = this.#status()): JsonObject {
    if (status === 'queued' || status === 'in_progress') return responseObject(this.#head, { status });
    const usage = this.#usage && usageOf(this.#ref.provider, this.#usage);
    const shortOf = this.#reason === 'length' ? 'max_output_tokens' : 'content_filter';
    return responseObject(this.#head, { status, output: this.#output, usage, error: this.error, shortOf });
  }

  #status(): 'completed' | 'incomplete' | 'failed' {
    if (this.error || this.#reason === 'error') return 'failed';
    return this.#reason === 'length' || this.#reason === 'content-filter' ? 'incomplete' : 'completed';
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
      this.#number += this.#pieces - 1;
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
      this.#number += this.#pieces - 1;
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
    if (this.#custom.has(call.name)) this.#customCall(call);
    else this.#functionCall(call);
  }

  #functionCall(call: ToolCall): void {
    const id = this.#itemId('fc');
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

  #customCall(call: ToolCall): void {
    const id = this.#itemId('ctc');
    const input = textGiven(call);
    const item = { id, type: 'custom_tool_call', call_id: call.id, name: call.name };
    this.#emit('response.output_item.added', { output_index: this.#output.length, item: { ...item, input: '' } });
    const place = { item_id: id, output_index: this.#output.length };
    this.#emit('response.custom_tool_call_input.delta', { ...place, delta: input });
    this.#emit('response.custom_tool_call_input.done', { ...place, input });
    this.#done({ ...item, input });
  }

  /** An item without text, for what clients only send back. */
  #carrier(carried: Carried): void {
    this.#close('completed');
    const item = { id: this.#itemId('rs'), type: 'reasoning', summary: [] };
    this.#emit('response.output_item.added', { output_index: this.#output.length, item });
    this.#done({ ...item, encrypted_content: writeOpaque(carried) });
  }

  #opened(kind: Open['kind']): Open {
    if (this.#open?.kind === kind) return this.#open;
    this.#close('completed');
    const open: Open = { kind, id: this.#itemId(kind === 'text' ? 'msg' : 'rs'), text: '', logprobs: [] };
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

  /** Says which response an item is of, and where in it, so that a reference to it can be looked up. */
  #itemId(kind: ItemKind): string {
    return itemId(kind, this.#head.id, this.#output.length - this.#void);
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

function messageItem(id: string, status: string, content: JsonObject[]): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
