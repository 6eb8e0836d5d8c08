import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Json } from '../server.ts';
import { UiTalk } from './ui-talk.ts';

/** A call as a client sees it. */
export interface SeenCall {
  id: string;
  name: string;
  args: Json;
}

/** What a client has got. */
export interface Seen {
  text: string;
  reasoning: string;
  calls: SeenCall[];
}

/** What one step of a conversation sends. */
export interface Step {
  /** What the person says, or the results of the calls, in their order. */
  say: string | string[];
  /** Base64 of a PNG that goes with what is said. */
  image?: string;
  stream: boolean;
  signal?: AbortSignal;
}

/** A conversation that a client of one wire leads, keeping the history as its library's users do. */
export interface Talk {
  step(step: Step): Promise<Seen>;
}

/** How a conversation is led. */
export interface TalkOptions {
  url: string;
  /** Of our server. */
  key: string;
  model: string;
  system: string;
  tools: { name: string; description: string; parameters: object }[];
}

/** The wires in, by name. */
export const TALKS: Readonly<Record<string, (options: TalkOptions) => Talk>> = {
  chat: (options) => new ChatTalk(options),
  responses: (options) => new ResponsesTalk(options),
  messages: (options) => new MessagesTalk(options),
  ui: (options) => new UiTalk(options),
};

const NO_RETRIES = { maxRetries: 0, timeout: 20_000 };
const MAX_TOKENS = 20_000;

class ChatTalk implements Talk {
  readonly #client: OpenAI;
  readonly #options: TalkOptions;
  readonly #messages: Json[];
  #calls: SeenCall[] = [];

  constructor(options: TalkOptions) {
    this.#options = options;
    this.#client = new OpenAI({ baseURL: `${options.url}/v1`, apiKey: options.key, ...NO_RETRIES });
    this.#messages = [{ role: 'system', content: options.system }];
  }

  async step({ say, image, stream, signal }: Step): Promise<Seen> {
    if (typeof say !== 'string') {
      for (const [index, content] of say.entries())
        this.#messages.push({ role: 'tool', tool_call_id: this.#calls[index]?.id, content });
    } else if (image === undefined) this.#messages.push({ role: 'user', content: say });
    else {
      const url = `data:image/png;base64,${image}`;
      this.#messages.push({
        role: 'user',
        content: [
          { type: 'text', text: say },
          { type: 'image_url', image_url: { url } },
        ],
      });
    }
    const { model, tools } = this.#options;
    const body = {
      model,
      messages: this.#messages,
      tools: tools.map((tool) => ({ type: 'function' as const, function: tool as Json })),
    };
    const message: Json = stream
      ? await this.#streamed(body, signal)
      : (await this.#client.chat.completions.create(body, { signal })).choices[0]?.message;
    this.#messages.push(message);
    this.#calls = (message.tool_calls ?? []).map((call: Json) => ({
      id: call.id,
      name: call.function.name,
      args: JSON.parse(call.function.arguments),
    }));
    return { text: message.content ?? '', reasoning: message.reasoning_content ?? '', calls: this.#calls };
  }

  /** With the reasoning put together, which the helper does not know. */
  async #streamed(body: Json, signal: AbortSignal | undefined): Promise<Json> {
    const stream = this.#client.chat.completions.stream(body, { signal });
    let reasoning = '';
    stream.on('chunk', (chunk: Json) => {
      reasoning += chunk.choices[0]?.delta.reasoning_content ?? '';
    });
    const message: Json = await stream.finalMessage();
    return { ...message, reasoning_content: reasoning };
  }
}

class ResponsesTalk implements Talk {
  readonly #client: OpenAI;
  readonly #options: TalkOptions;
  readonly #input: Json[] = [];
  #calls: SeenCall[] = [];

  constructor(options: TalkOptions) {
    this.#options = options;
    this.#client = new OpenAI({ baseURL: `${options.url}/v1`, apiKey: options.key, ...NO_RETRIES });
  }

  async step({ say, image, stream, signal }: Step): Promise<Seen> {
    if (typeof say !== 'string') {
      for (const [index, output] of say.entries())
        this.#input.push({ type: 'function_call_output', call_id: this.#calls[index]?.id, output });
    } else {
      const media = image === undefined ? [] : [{ type: 'input_image', image_url: `data:image/png;base64,${image}` }];
      this.#input.push({ role: 'user', content: [{ type: 'input_text', text: say }, ...media] });
    }
    const { model, system, tools } = this.#options;
    const body = {
      ...{ model, input: this.#input, instructions: system, store: false },
      include: ['reasoning.encrypted_content' as const],
      tools: tools.map((tool) => ({ type: 'function' as const, strict: false, ...(tool as Json) })),
    };
    const response: Json = stream
      ? await this.#client.responses.stream(body, { signal }).finalResponse()
      : await this.#client.responses.create(body, { signal });
    this.#input.push(...response.output);
    this.#calls = response.output
      .filter(({ type }: Json) => type === 'function_call')
      .map((call: Json) => ({ id: call.call_id, name: call.name, args: JSON.parse(call.arguments) }));
    const reasoning = response.output.filter(({ type }: Json) => type === 'reasoning');
    return {
      text: response.output_text,
      reasoning: reasoning.flatMap(({ summary }: Json) => summary.map(({ text }: Json) => text)).join(''),
      calls: this.#calls,
    };
  }
}

class MessagesTalk implements Talk {
  readonly #client: Anthropic;
  readonly #options: TalkOptions;
  readonly #messages: Json[] = [];
  #calls: SeenCall[] = [];

  constructor(options: TalkOptions) {
    this.#options = options;
    this.#client = new Anthropic({ baseURL: options.url, apiKey: options.key, ...NO_RETRIES });
  }

  async step({ say, image, stream, signal }: Step): Promise<Seen> {
    const said =
      typeof say === 'string'
        ? [{ type: 'text', text: say }]
        : say.map((content, index) => ({ type: 'tool_result', tool_use_id: this.#calls[index]?.id, content }));
    const source = { type: 'base64', media_type: 'image/png', data: image };
    const media = image === undefined ? [] : [{ type: 'image', source }];
    this.#messages.push({ role: 'user', content: [...said, ...media] });
    const { model, system, tools } = this.#options;
    const body = {
      ...{ model, system, messages: this.#messages, max_tokens: MAX_TOKENS },
      tools: tools.map(({ name, description, parameters }) => ({
        ...{ name, description },
        input_schema: parameters as Json,
      })),
    };
    const message: Json = stream
      ? await this.#client.messages.stream(body, { signal }).finalMessage()
      : await this.#client.messages.create(body, { signal });
    this.#messages.push({ role: 'assistant', content: message.content });
    const of = (type: string): Json[] => message.content.filter((block: Json) => block.type === type);
    this.#calls = of('tool_use').map(({ id, name, input }) => ({ id, name, args: input }));
    return {
      text: of('text')
        .map(({ text }) => text)
        .join(''),
      reasoning: of('thinking')
        .map(({ thinking }) => thinking)
        .join(''),
      calls: this.#calls,
    };
  }
}
