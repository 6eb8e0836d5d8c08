import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../server.ts';

/** Stands in for three vendors behind one address: Anthropic, OpenAI and Ollama below `/anthropic`, `/openai`, `/ollama`. */
export interface Vendors {
  url: string;
  /** The only key that is taken. */
  key: string;
  /** Ollama answers; without it, connections to it are refused with 503. */
  isOllamaRunning: boolean;
  /** The models of chat calls, in order, with the vendor before them. */
  asked: string[];
  stop(): Promise<void>;
}

/** What each of them answers. */
export const ANSWER = 'An answer of the vendor.';

/** What Anthropic and OpenAI say of a wrong key. */
export const WRONG_KEY = 'invalid x-api-key';

const LISTS: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['claude-sonnet-5', 'claude-opus-5'],
  openai: ['gpt-5.5', 'gpt-5.5-mini'],
  ollama: ['nomic-embed-text:latest', 'llama3.2:latest', 'qwen3:8b'],
};

/** Starts on a free port. @param key the one that is taken */
export async function startVendors(key: string): Promise<Vendors> {
  const server = createServer((request, response) => void serve(vendors, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const vendors: Vendors = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    isOllamaRunning: true,
    asked: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return vendors;
}

async function serve(vendors: Vendors, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const [, vendor = ''] = (request.url ?? '').split('/');
  const { 'x-api-key': key, authorization } = request.headers;
  if (vendor === 'ollama' && !vendors.isOllamaRunning) return json(response, 503, { error: 'not running' });
  if (vendor !== 'ollama' && key !== vendors.key && authorization !== `Bearer ${vendors.key}`)
    return json(response, 401, { type: 'error', error: { type: 'authentication_error', message: WRONG_KEY } });
  if (request.method === 'GET') {
    const models = (LISTS[vendor] ?? []).map((id) => ({ id, name: id, model: id }));
    return json(response, 200, vendor === 'ollama' ? { models } : { data: models });
  }
  if (request.url?.endsWith('/api/show')) return json(response, 404, { error: 'not found' });
  const { model } = JSON.parse(text) as { model: string };
  vendors.asked.push(`${vendor}/${model}`);
  if (vendor === 'ollama') ollamaAnswer(response, model);
  else anthropicAnswer(response, model);
}

function json(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function ollamaAnswer(response: ServerResponse, model: string): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.write(`${JSON.stringify({ model, message: { role: 'assistant', content: ANSWER }, done: false })}\n`);
  const end = { done: true, done_reason: 'stop', prompt_eval_count: 5, eval_count: 5 };
  response.end(`${JSON.stringify({ model, message: { role: 'assistant', content: '' }, ...end })}\n`);
}

function anthropicAnswer(response: ServerResponse, model: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const events: Json[] = [
    { type: 'message_start', message: { model, usage: { input_tokens: 5, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ANSWER } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ];
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}
