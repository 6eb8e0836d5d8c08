import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../server.ts';

/** A request as the upstream got it. `provider` is the first part of the path: the base URL that it came through. */
interface Sent {
  provider: string;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Json;
}

/** How to answer one chat call instead of plainly. */
type Reply =
  | { status?: number; headers?: Record<string, string>; json: unknown }
  /** Raw pieces of a stream; `breakOff` destroys the connection after them, `stall` leaves it open. */
  | { pieces: string[]; breakOff?: boolean; stall?: boolean };

/** A provider's stand-in: speaks every wire (streams on OpenAI's only), and notes what it was sent. */
export interface Upstream {
  url: string;
  /** Every chat call since the last `reset`. */
  sent: Sent[];
  /** Model ids that a provider lists. */
  lists: Map<string, string[]>;
  /** Providers whose model list is refused with 401 and these words. */
  refusing: Map<string, string>;
  /** Answers of the next chat calls, in order; after them plain ones. */
  replies: Reply[];
  /** The environment that makes these providers configured, with this upstream behind them. */
  environment(...types: string[]): Record<string, string>;
  reset(): void;
  stop(): Promise<void>;
}

/** The words of every plain answer. */
export const PLAIN = 'Hello from upstream';

const KEYS: Record<string, string> = {
  azure: 'AZURE_OPENAI_API_KEY',
  google: 'GEMINI_API_KEY',
};

/** The key that `environment` gives to a provider. */
export function keyOf(type: string): string {
  return `sk-${type}-0123456789abcdef`;
}

/** Starts on a free port. */
export async function startUpstream(): Promise<Upstream> {
  const state = { sent: [], lists: new Map(), refusing: new Map(), replies: [] } as Pick<
    Upstream,
    'sent' | 'lists' | 'refusing' | 'replies'
  >;
  const server = createServer((request, response) => void serve(state, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...state,
    url,
    environment: (...types) =>
      Object.fromEntries(
        types.flatMap((type) => [
          // Cohere's model list lies beside the second version, not below it.
          [`${type.toUpperCase()}_BASE_URL`, `${url}/${type}${type === 'cohere' ? '/v2' : ''}`],
          ...(type === 'ollama' ? [] : [[KEYS[type] ?? `${type.toUpperCase()}_API_KEY`, keyOf(type)]]),
        ]),
      ),
    reset: () => {
      state.sent.length = 0;
      state.replies.length = 0;
      state.lists.clear();
      state.refusing.clear();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  state: Pick<Upstream, 'sent' | 'lists' | 'refusing' | 'replies'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = '';
  // A character may lie across two chunks.
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const path = request.url ?? '';
  const provider = path.split('/')[1] ?? '';
  if (request.method === 'GET') {
    const refusal = state.refusing.get(provider);
    if (refusal !== undefined) return json(response, 401, { error: { message: refusal } });
    const ids = state.lists.get(provider) ?? [];
    return json(response, 200, { data: ids.map((id) => ({ id })) });
  }
  // Ollama's words on a single model, which this one does not have.
  if (path.endsWith('/api/show')) return json(response, 404, { error: 'not found' });
  const body = text === '' ? undefined : JSON.parse(text);
  // The health check of a provider without a model list.
  if (body?.messages?.length === 0) return json(response, 400, { error: { message: 'messages must not be empty' } });
  state.sent.push({ provider, method: request.method ?? '', path, headers: request.headers, body });
  const reply = state.replies.shift();
  if (reply === undefined) return plain(path, body, response);
  if ('json' in reply) return json(response, reply.status ?? 200, reply.json, reply.headers);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of reply.pieces) await new Promise<void>((resolve) => response.write(piece, () => resolve()));
  if (reply.breakOff) response.destroy();
  else if (!reply.stall) response.end();
}

function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

function plain(path: string, body: Json, response: ServerResponse): void {
  if (body.stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(openAiStream([{ content: PLAIN }]).join(''));
  } else json(response, 200, plainAnswer(path));
}

function plainAnswer(path: string): object {
  if (path.endsWith('/messages')) {
    return {
      content: [{ type: 'text', text: PLAIN }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 7, output_tokens: 3 },
    };
  }
  if (path.endsWith('/api/chat')) {
    return {
      message: { role: 'assistant', content: PLAIN },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 7,
      eval_count: 3,
    };
  }
  if (path.endsWith(':generateContent')) {
    return {
      candidates: [{ content: { role: 'model', parts: [{ text: PLAIN }] }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 3, totalTokenCount: 10 },
    };
  }
  if (path.endsWith('/chat')) {
    return {
      message: { role: 'assistant', content: [{ type: 'text', text: PLAIN }] },
      finish_reason: 'COMPLETE',
      usage: { tokens: { input_tokens: 7, output_tokens: 3 } },
    };
  }
  return openAiAnswer({ content: PLAIN });
}

/** A whole answer on OpenAI's wire. */
export function openAiAnswer(message: object, finish = 'stop', usage: object = {}): object {
  return {
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, ...usage },
  };
}

/** The pieces of a stream on OpenAI's wire: a delta each, then the finish, the usage and the end mark. */
export function openAiStream(deltas: object[], finish = 'stop'): string[] {
  return [
    ...openAiDeltas(deltas),
    sse({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }),
    sse({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } }),
    'data: [DONE]\n\n',
  ];
}

/** Deltas on OpenAI's wire, without an end. */
export function openAiDeltas(deltas: object[]): string[] {
  return deltas.map((delta) => sse({ choices: [{ index: 0, delta }] }));
}

/** One server-sent event. */
export function sse(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
