import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Json, startTestServer, type TestServer } from '../server.ts';

/** A call as the vendor got it. */
interface VendorCall {
  kind: 'chat' | 'summary';
  /** The body, byte for byte. */
  text: string;
  body: Json;
  /** What the vendor counts it as. */
  tokens: number;
  isRefused: boolean;
}

/** How to answer a call: with text, tool calls, a refusal for its length or for something else, or never. */
export type Reply =
  | string
  | { id: string; name: string; arguments: object }[]
  | 'TOO_LONG'
  | 'REFUSED'
  | 'BROKEN'
  | 'STALL';

/** A model: the window that the vendor lists, and the one that it really has. */
interface Model {
  listed?: number;
  window: number;
}

/**
 * A vendor's stand-in on OpenAI's wire that counts tokens and, like many, refuses a call that is longer than the
 * model's window or could become so with its answer.
 */
export interface Vendor {
  url: string;
  /** What makes it the server's `openai`. */
  environment: Record<string, string>;
  models: Map<string, Model>;
  calls: VendorCall[];
  /** The answers of the next chat calls, in order; after them, one that says which call it was. */
  replies: Reply[];
  /** Makes a summary of a transcript. */
  summarise: (transcript: string) => Reply;
  /** Its tokens in four bytes of text. */
  rate: number;
  reset(): void;
  stop(): Promise<void>;
}

/** What a summary says if nothing else was ordered. */
export const SUMMARY = 'They agreed on tea, and that the ticket is PC-12.';

/** Starts on a free port. */
export async function startVendor(models: Record<string, Model>): Promise<Vendor> {
  const vendor: Vendor = {
    url: '',
    environment: {},
    models: new Map(Object.entries(models)),
    calls: [],
    replies: [],
    summarise: () => SUMMARY,
    rate: 1,
    reset: () => {
      vendor.calls.length = 0;
      vendor.replies.length = 0;
      vendor.summarise = () => SUMMARY;
      vendor.rate = 1;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((request, response) => void serve(vendor, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vendor.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vendor.environment = { OPENAI_BASE_URL: vendor.url, OPENAI_API_KEY: 'sk-0123456789abcdef' };
  return vendor;
}

async function serve(vendor: Vendor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method === 'GET') {
    const data = [...vendor.models].map(([id, { listed }]) => ({ id, context_length: listed }));
    return send(response, 200, { data });
  }
  const text = Buffer.concat(chunks).toString();
  const body = JSON.parse(text);
  const kind = String(body.messages[0]?.content).startsWith('You condense') ? 'summary' : 'chat';
  const tokens = Math.ceil(count(body) * vendor.rate);
  const window = vendor.models.get(body.model)?.window ?? Number.POSITIVE_INFINITY;
  const isTooLong = tokens + (body.max_tokens ?? 0) > window;
  const given =
    kind === 'summary' ? vendor.summarise(body.messages.at(-1).content) : (vendor.replies.shift() ?? undefined);
  const reply = isTooLong ? 'TOO_LONG' : (given ?? `Answer to call ${vendor.calls.length + 1}`);
  const isRefused = reply === 'TOO_LONG' || reply === 'REFUSED';
  vendor.calls.push({ kind, text, body, tokens, isRefused });
  if (reply === 'TOO_LONG') {
    return send(response, 400, { error: { message: 'The prompt is too long', code: 'context_length_exceeded' } });
  }
  if (reply === 'STALL') return;
  if (reply === 'BROKEN') return send(response, 503, { error: { message: 'Out of order' } });
  if (reply === 'REFUSED') return send(response, 400, { error: { message: 'No, thank you', code: 'odd' } });
  answer(response, body.stream === true, reply, tokens);
}

function answer(response: ServerResponse, isStream: boolean, reply: Reply, tokens: number): void {
  const calls = Array.isArray(reply)
    ? reply.map(({ arguments: input, name, id }, index) => {
        return { index, id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
      })
    : undefined;
  const message = calls ? { content: null, tool_calls: calls } : { content: reply };
  const finish_reason = calls ? 'tool_calls' : 'stop';
  const written = Math.ceil(Buffer.byteLength(JSON.stringify(reply)) / 4);
  const usage = { prompt_tokens: tokens, completion_tokens: written, total_tokens: tokens + written };
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }];
  const events = [
    { choices: [{ index: 0, delta: message }] },
    { choices: [{ index: 0, delta: {}, finish_reason }] },
    { choices: [], usage },
  ];
  if (!isStream) send(response, 200, { choices, usage });
  else sendEvents(response, events);
}

function sendEvents(response: ServerResponse, events: object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`);
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** The vendor's own way to count: texts, calls and tools, and four tokens for every message. */
function count({ messages, tools = [] }: Json): number {
  const bytes = messages.reduce((sum: number, message: Json) => {
    const content = Array.isArray(message.content) ? message.content : [{ type: 'text', text: message.content ?? '' }];
    const said = content.reduce((all: number, part: Json) => all + (part.text ? Buffer.byteLength(part.text) : 0), 0);
    const media = content.filter((part: Json) => part.type !== 'text').length * 6000;
    const calls = (message.tool_calls ?? []).map((call: Json) => call.function.name + call.function.arguments);
    return sum + 16 + said + media + Buffer.byteLength(calls.join(''));
  }, 0);
  return (bytes + (tools.length > 0 ? Buffer.byteLength(JSON.stringify(tools)) : 0)) / 4;
}

/** The calls and results of a chat call, for `brokenPairs`. */
export function pairsOf(body: Json): { calls: string[]; resultOf: string | undefined }[] {
  return body.messages.map(({ role, tool_calls = [], tool_call_id }: Json) => ({
    calls: tool_calls.map(({ id }: Json) => id),
    resultOf: role === 'tool' ? tool_call_id : undefined,
  }));
}

/** A server whose only provider is such a vendor, and conversations in it. */
export interface Rig {
  server: TestServer;
  vendor: Vendor;
  /** Imports messages of so many bytes each, a user's and an answer in turn; gives the conversation's path. */
  conversation(messages: number, bytes: number, more?: object): Promise<string>;
  /** Sends a message. */
  say(path: string, content: unknown, more?: object): Promise<{ status: number; body: Json; headers: Headers }>;
  memory(path: string): Promise<Json>;
  compact(path: string, body?: object): Promise<{ status: number; body: Json; headers: Headers }>;
  undo(path: string): Promise<{ status: number; body: Json; headers: Headers }>;
  /** The conversation with its messages. */
  read(path: string): Promise<Json>;
  stop(): Promise<void>;
}

/** The models of a rig. `gpt-4o` has a known price. */
const MODELS = {
  'gpt-4o': { listed: 2000, window: 2000 },
  unlisted: { window: 2000 },
  middle: { listed: 8000, window: 8000 },
  large: { listed: 1_000_000, window: 1_000_000 },
};

export async function startRig(environment: Record<string, string> = {}): Promise<Rig> {
  const vendor = await startVendor(MODELS);
  const server = await startTestServer({ ...vendor.environment, ...environment });
  const { call } = server;
  const { status } = await call('/api/chat/providers/openai/models?refresh=true');
  if (status !== 200) throw new Error(`the model list: ${status}`);
  return {
    server,
    vendor,
    conversation: async (messages, bytes, more = {}) => {
      const { body } = await call('/api/chat/conversations/import', {
        conversation: { title: 'T', model: 'openai/gpt-4o', systemPrompt: 'Be brief.', ...more },
        messages: Array.from({ length: messages }, (_, index) => ({
          role: index % 2 === 0 ? 'user' : 'assistant',
          content: `${index + 1}. `.padEnd(bytes, 'x'),
        })),
      });
      return `/api/chat/conversations/${body.conversation.id}`;
    },
    say: (path, content, more = {}) => call(`${path}/messages`, { content, ...more }),
    memory: async (path) => (await call(`${path}/memory`)).body,
    compact: (path, body = {}) => call(`${path}/compact`, body),
    undo: (path) => call(`${path}/compact`, undefined, { method: 'DELETE' }),
    read: async (path) => (await call(path)).body,
    stop: async () => {
      await server.stop();
      await vendor.stop();
    },
  };
}

/** The kinds of the calls that the vendor got, in order. */
export function kinds({ calls }: Vendor): string[] {
  return calls.map(({ kind, isRefused }) => (isRefused ? `${kind} refused` : kind));
}
