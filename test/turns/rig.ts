import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { withoutToolData } from '../../src/core/tool-data.ts';
import { openAiAnswer, openAiDeltas, openAiStream } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';

/** A call that a model has got; it is answered when the test says so. */
export interface Call {
  body: Json;
  headers: IncomingMessage['headers'];
  /** What it was sent but for system prompts and the marks of results, a line each: `user: Hi`. */
  said: string[];
  isGone(): boolean;
  /** Answers, whole or streamed as it was asked: a text, or a message of OpenAI's wire. */
  answer(message?: string | object): void;
  /** The first or next piece of a streamed answer. */
  piece(text: string): void;
  /** The end of a streamed answer. */
  end(): void;
  fail(status: number, message: string, headers?: Record<string, string>): void;
  /** Breaks the connection. */
  cut(): void;
  /** Any bytes as the whole body of a success. */
  bytes(text: string): void;
}

/** A model of the stand-in, with a name that no other test has. */
export interface Model {
  /** As a request names it. */
  name: string;
  calls: Call[];
  /** The `number`-th call (from 1 on), when it comes. */
  call(number: number): Promise<Call>;
}

/** What a model does with a call: nothing at all, or something at once. */
type Script = (call: Call) => void;

/** A provider's stand-in on OpenAI's wire. */
export interface Vendor {
  environment: Record<string, string>;
  model(script?: Script): Model;
  stop(): Promise<void>;
}

/** Answers at once with the words that it was sent. */
export const echo: Script = (call) => call.answer(`re ${call.said.at(-1)?.replace(/^\w+: /, '')}`);

/** Leaves it to the test. */
export const held: Script = () => {};

let models = 0;

/** Starts on a free port. */
export async function startVendor(): Promise<Vendor> {
  const scripts = new Map<string, { script: Script; calls: Call[] }>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.method === 'GET') return json(response, 200, { data: [] });
    const body = JSON.parse(text);
    const model = scripts.get(body.model);
    if (!model) return json(response, 404, { error: { message: `no model ${body.model}` } });
    const call = toCall(request, response, body);
    model.calls.push(call);
    model.script(call);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    environment: { TOGETHER_BASE_URL: url, TOGETHER_API_KEY: 'k' },
    model: (script = echo) => {
      const name = `model-${++models}`;
      const calls: Call[] = [];
      scripts.set(name, { script, calls });
      const call = async (number: number): Promise<Call> => {
        await expect.poll(() => calls.length).toBeGreaterThanOrEqual(number);
        return calls[number - 1]!;
      };
      return { name: `together/${name}`, calls, call };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toCall(request: IncomingMessage, response: ServerResponse, body: Json): Call {
  let isGone = false;
  response.on('close', () => {
    isGone = !response.writableFinished;
  });
  const head = (): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  };
  return {
    body,
    headers: request.headers,
    said: body.messages.filter(({ role }: Json) => role !== 'system').map(line),
    isGone: () => isGone,
    answer: (message = 'Hello') => {
      const given = typeof message === 'string' ? { content: message } : message;
      const finish = 'tool_calls' in given ? 'tool_calls' : 'stop';
      if (!body.stream) return json(response, 200, openAiAnswer(given, finish));
      head();
      response.end(openAiStream([given], finish).join(''));
    },
    piece: (text) => {
      head();
      response.write(openAiDeltas([{ content: text }]).join(''));
    },
    end: () => response.end(openAiStream([]).join('')),
    fail: (status, message, headers) => json(response, status, { error: { message } }, headers),
    cut: () => response.destroy(),
    bytes: (text) => response.writeHead(200, { 'content-type': 'application/json' }).end(text),
  };
}

function line({ role, content, tool_calls: calls = [] }: Json): string {
  const text = typeof content === 'string' ? withoutToolData(content) : JSON.stringify(content ?? undefined);
  return `${role}: ${[text, ...calls.map(({ id }: Json) => `call ${id}`)].filter(Boolean).join(', ')}`;
}

function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** A tool call on OpenAI's wire. */
export function toolCall(id: string, name: string, args: object): object {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}

type Answered = Awaited<ReturnType<TestServer['call']>>;

/** A conversation, as a client of a server sees it. */
export interface Talk {
  server: TestServer;
  id: string;
  path: string;
  send(content: unknown, more?: object, options?: RequestInit): Promise<Answered>;
  stream(content: unknown, more?: object): Promise<{ status: number; events: Json[]; last: Json }>;
  retry(more?: object): Promise<Answered>;
  /** A completion in it. */
  complete(messages: object[], more?: object, options?: RequestInit): Promise<Answered>;
  messages(): Promise<Json[]>;
  /** The messages, a line each: `complete user: Hi`. */
  lines(): Promise<string[]>;
}

/** Begins a conversation with a model. */
export async function begin(server: TestServer, model: Model | string, fields: object = {}): Promise<Talk> {
  const name = typeof model === 'string' ? model : model.name;
  const { status, body } = await server.call('/api/chat/conversations', { model: name, ...fields });
  expect(status).toBe(201);
  return talk(server, body.conversation.id);
}

/** A conversation that there is, on one of its servers. */
export function talk(server: TestServer, id: string): Talk {
  const path = `/api/chat/conversations/${id}`;
  const messages = async (): Promise<Json[]> => (await server.call(path)).body.messages;
  return {
    server,
    id,
    path,
    send: (content, more, options) => server.call(`${path}/messages`, { content, ...more }, options),
    stream: async (content, more) => {
      const answer = await server.stream(`${path}/messages`, { content, stream: true, ...more });
      return { ...answer, last: answer.events.at(-1) };
    },
    retry: (more = {}) => server.call(`${path}/retry`, more),
    complete: (given, more, options) =>
      server.call('/api/chat/completions', { conversationId: id, messages: given, ...more }, options),
    messages,
    lines: async () => (await messages()).map(({ status, role, content }) => `${status} ${role}: ${content}`),
  };
}

/** The lines of turns that an echo has answered, as it is sent them and as they are stored. */
export function turnsOf(words: readonly string[], prefix = ''): string[] {
  return words.flatMap((word) => [`${prefix}user: ${word}`, `${prefix}assistant: re ${word}`]);
}

/** A home folder that outlives its server. */
export function tempHome(): { home: string; remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'profclaw-turns-'));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** A server with the stand-in behind it. */
export async function startRig(
  environment: Record<string, string> = {},
  home?: string,
): Promise<{ vendor: Vendor; server: TestServer; stop(): Promise<void> }> {
  const vendor = await startVendor();
  const server = await startTestServer({ ...vendor.environment, ...environment }, home);
  return {
    vendor,
    server,
    stop: async () => {
      await server.stop();
      await vendor.stop();
    },
  };
}

/** Posts, and gives the events of the answer as they come. */
export async function* eventsOf(
  server: TestServer,
  path: string,
  body: object,
  options: RequestInit = {},
): AsyncGenerator<Json, undefined> {
  const headers = { 'content-type': 'application/json', ...options.headers };
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body), ...options, headers });
  let text = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) yield JSON.parse(block.replace(/^data: /, ''));
  }
}

/** Posts JSON on a socket that is not read until somebody resumes it. */
export async function postUnread(url: string, path: string, body: object): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(rawPost(url, path, body, 'close'));
  return socket;
}

/** The bytes of a request. */
export function rawPost(url: string, path: string, body: object, connection = 'keep-alive'): string {
  const text = JSON.stringify(body);
  return (
    `POST ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\ncontent-type: application/json\r\n` +
    `connection: ${connection}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}
