import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Json, startTestServer, type TestServer } from '../server.ts';

/** A request as the provider's stand-in got it. */
export interface Sent {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Json;
}

/** What to answer: JSON, raw pieces of a stream each in a write of its own, or nothing at all. */
export type Reply = { status?: number; json: unknown } | { pieces: string[] } | 'never';

/** Our server with one provider's stand-in behind it. */
export interface Scripted {
  server: TestServer;
  /** What a base URL variable may hold. */
  url: string;
  /** Every request since the last `answer`. */
  sent: Sent[];
  /** The body of the first of them. */
  sentBody(): Json;
  /** Forgets what was sent; from now on requests are answered so. */
  answer(reply: Reply | ((sent: Sent) => Reply)): void;
  /** A completion of a single user message, or of the given messages; `message` goes into the next ones. */
  ask(body: object): Promise<{ status: number; body: Json; message: Json }>;
  /** The same as a stream; `last` is its last event. */
  stream(body: object): Promise<{ status: number; events: Json[]; last: Json }>;
  stop(): Promise<void>;
}

/** Starts both on free ports. @param environment of our server, from the stand-in's address. */
export async function startScripted(environment: (url: string) => Record<string, string>): Promise<Scripted> {
  const sent: Sent[] = [];
  let reply: (sent: Sent) => Reply = () => 'never';
  const upstream = createServer(async (request, response) => {
    const got = await read(request);
    sent.push(got);
    await write(reply(got), response);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const server = await startTestServer(environment(url));
  const says = { messages: [{ role: 'user', content: 'Hi' }] };
  return {
    server,
    url,
    sent,
    sentBody: () => sent[0]?.body,
    answer: (next) => {
      sent.length = 0;
      reply = typeof next === 'function' ? next : () => next;
    },
    ask: async (body) => {
      const answer = await server.call('/api/chat/completions', { ...says, ...body });
      return { ...answer, message: answer.body.message };
    },
    stream: async (body) => {
      const answer = await server.stream('/api/chat/completions', { ...says, ...body, stream: true });
      return { ...answer, last: answer.events.at(-1) };
    },
    stop: async () => {
      await server.stop();
      upstream.closeAllConnections();
      await new Promise((resolve) => upstream.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<Sent> {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { method = '', url: path = '', headers } = request;
  return { method, path, headers, body: text === '' ? undefined : JSON.parse(text) };
}

async function write(reply: Reply, response: ServerResponse): Promise<void> {
  if (reply === 'never') return;
  if ('json' in reply) {
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.json));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of reply.pieces) await new Promise<void>((resolve) => response.write(piece, () => resolve()));
  response.end();
}

/** Server-sent events of these values. */
export function sse(...values: unknown[]): string[] {
  return values.map((value) => `data: ${JSON.stringify(value)}\n\n`);
}

/** Lines of these values. */
export function lines(...values: unknown[]): string[] {
  return values.map((value) => `${JSON.stringify(value)}\n`);
}

/** Tools in our own form. */
export const WEATHER = {
  name: 'weather',
  description: 'Current weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
