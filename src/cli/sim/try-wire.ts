import { isDeepStrictEqual } from 'node:util';
import { toAppError } from '../../errors.ts';
import type { ChatModel, ChatRequest, FinishReason, Message, ToolCall, Usage } from '../../providers/chat-model.ts';
import { connect } from '../../providers/connection.ts';
import type { HttpClient } from '../../providers/transport/client.ts';
import { LINES, startFake, TRIES, type Try } from './fake-server.ts';
import { CALL, type FakeWire, SIM_KEY, TOKENS } from './fake-wire.ts';

const LIMIT_MS = 10_000;
/** By name, as a custom provider. */
const TYPE = 'custom:sim';
const RESULT = '42';

/** How a try went; `problem` is absent if all was as it should be. */
export interface Outcome {
  tried: Try;
  /** Milliseconds. */
  ms: number;
  problem?: string;
}

/** What an answer came to. */
interface Heard {
  text: string;
  reasoning: string;
  calls: ToolCall[];
  usage: Usage | undefined;
  finish: FinishReason | undefined;
  /** `<code>: <message>` */
  error: string | undefined;
}

/** Tries a wire with everything that it does, one after another, over real sockets. */
export async function tryWire(wire: FakeWire, client: HttpClient): Promise<Outcome[]> {
  const fake = await startFake(wire);
  try {
    const settings = { baseUrl: fake.url, wire: wire.wire, apiKey: SIM_KEY, name: 'the fake' };
    const { model } = connect(TYPE, settings, client);
    const outcomes: Outcome[] = [];
    for (const tried of TRIES) {
      const begun = performance.now();
      const problem = await CHECKS[tried](model).catch((error: unknown) => toAppError(error).message);
      const ms = performance.now() - begun;
      outcomes.push({ tried, ms, ...(problem === undefined ? {} : { problem }) });
    }
    return outcomes;
  } finally {
    await fake.close();
  }
}

/** Each says what is wrong, if something is. */
const CHECKS: Readonly<Record<Try, (model: ChatModel) => Promise<string | undefined>>> = {
  text: async (model) => compare(await ask(model, 'text', false), {}),
  stream: async (model) => compare(await ask(model, 'stream', true), {}),
  reasoning: async (model) => compare(await ask(model, 'reasoning', true), { reasoning: LINES.reasoning }),
  tools: checkTools,
  error: async (model) => {
    const { error, text } = await ask(model, 'error', false);
    if (error?.startsWith('provider_auth: ') && error.includes(LINES.refusal)) return undefined;
    return `a refused key should be provider_auth with the provider’s words, but came as ${error ?? JSON.stringify(text)}`;
  },
  cut: async (model) => {
    const { error, text, finish } = await ask(model, 'cut', true);
    if (text === '' || !LINES.text.startsWith(text))
      return `what came before the cut should be there, but is ${JSON.stringify(text)}`;
    if (error?.startsWith('provider_') && finish === undefined) return undefined;
    return `a broken connection should be an error, but came as ${error ?? `finish ${finish}`}`;
  },
};

async function checkTools(model: ChatModel): Promise<string | undefined> {
  const first = await ask(model, 'tools', true);
  const wrong = compare(first, { text: '', finish: 'tool-calls' });
  if (wrong !== undefined) return wrong;
  const [call] = first.calls;
  if (call === undefined || first.calls.length > 1) return `one tool call should come, but ${first.calls.length} came`;
  const { name, arguments: args } = CALL;
  if (call.name !== name || !isDeepStrictEqual(call.arguments, args))
    return `the call should be ${name} ${JSON.stringify(args)}, but is ${call.name} ${JSON.stringify(call.arguments)}`;
  const called: Message = { role: 'assistant', parts: [{ type: 'tool-call', call }] };
  const result: Message = { role: 'tool', toolCallId: call.id, toolName: call.name, text: RESULT };
  return compare(await ask(model, 'tools', true, [called, result]), { text: LINES.sum(RESULT) });
}

async function ask(model: ChatModel, tried: Try, stream: boolean, more: Message[] = []): Promise<Heard> {
  const tools = [
    {
      name: CALL.name,
      description: 'Adds two numbers.',
      parameters: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      },
    },
  ];
  const request: ChatRequest = {
    model: `sim-${tried}`,
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'How do you do?' }] }, ...more],
    tools: tried === 'tools' ? tools : [],
    toolChoice: undefined,
    temperature: undefined,
    maxTokens: undefined,
    stream,
  };
  const heard: Heard = { text: '', reasoning: '', calls: [], usage: undefined, finish: undefined, error: undefined };
  try {
    const { events } = await model.chat(request, AbortSignal.timeout(LIMIT_MS));
    for await (const batch of events) {
      for (const event of batch) {
        if (event.type === 'text' || event.type === 'reasoning') heard[event.type] += event.text;
        else if (event.type === 'tool-call') heard.calls.push(event.call);
        else if (event.type === 'usage') heard.usage = event.usage;
        else if (event.type === 'finish') heard.finish = event.reason;
        else if (event.type === 'error') heard.error = `${event.error.code}: ${event.error.message}`;
      }
    }
  } catch (error) {
    const { code, message } = toAppError(error);
    heard.error = `${code}: ${message}`;
  }
  return heard;
}

function compare(heard: Heard, want: { text?: string; reasoning?: string; finish?: FinishReason }): string | undefined {
  const { text = LINES.text, reasoning = '', finish = 'stop' } = want;
  if (heard.error !== undefined) return heard.error;
  const pairs: [string, unknown, unknown][] = [
    ['the text', text, heard.text],
    ['the reasoning', reasoning, heard.reasoning],
    ['how it ended', finish, heard.finish],
    ['the tokens read', TOKENS.prompt, heard.usage?.promptTokens],
    ['the tokens written', TOKENS.completion, heard.usage?.completionTokens],
  ];
  const wrong = pairs.find(([, expected, actual]) => expected !== actual);
  if (wrong === undefined) return undefined;
  const [what, expected, actual] = wrong;
  return `${what} should be ${JSON.stringify(expected)}, but is ${JSON.stringify(actual)}`;
}
