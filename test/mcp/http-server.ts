import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../server.ts';
import { afterwards } from './rig.ts';

/** What a server over HTTP has met. */
interface Met {
  method: string;
  /** Of the message. */
  rpc: string | undefined;
  headers: IncomingMessage['headers'];
  body: Json;
}

/** A server over HTTP, by hand; `behaviour` may change while it runs. */
export interface HttpServer {
  url: string;
  met: Met[];
  behaviour: string;
  /** Answers that are still open. */
  open: Set<ServerResponse>;
  /** Forgets all sessions. */
  forget(): void;
}

const EVENTS = 'text/event-stream';
const TOOLS = ['echo', 'slow', 'where'].map((name) => ({ name, inputSchema: { type: 'object' } }));

/** Starts one on a port, by default a free one; it is gone after the test. */
export async function httpServer(behaviour = 'json', port = 0): Promise<HttpServer> {
  const sessions = new Set<string>();
  let made = 0;
  const self: HttpServer = { url: '', met: [], behaviour, open: new Set(), forget: () => sessions.clear() };
  const listener = createServer((request, response) => {
    self.open.add(response);
    response.on('close', () => self.open.delete(response));
    void read(request).then((body) => {
      self.met.push({ method: request.method ?? '', rpc: body?.method, headers: request.headers, body });
      const session = String(request.headers['mcp-session-id'] ?? '');
      if (body?.method === 'initialize') {
        made++;
        sessions.add(`session-${made}`);
        response.setHeader('mcp-session-id', `session-${made}`);
      }
      if (body?.method !== 'initialize' && !sessions.has(session)) end(response, 404, 'Session not found');
      else if (request.method === 'DELETE') {
        sessions.delete(session);
        end(response, 200, '');
      } else answer(self, body, request, response);
    });
  });
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  afterwards(() => close(listener));
  self.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/mcp`;
  return self;
}

function answer(self: HttpServer, body: Json, request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET') listen(self.behaviour, response);
  else if (body?.id === undefined) end(response, 202, '');
  else if (body.method !== 'tools/call' || !isSpecial(self.behaviour, body, request, response))
    give(self.behaviour, { jsonrpc: '2.0', id: body.id, result: resultOf(body, request) }, response);
}

function listen(behaviour: string, response: ServerResponse): void {
  if (behaviour === 'stream') response.writeHead(200, { 'content-type': EVENTS }).write(': here\n\n');
  else end(response, 405, '');
}

/** What it does instead of answering a call; false: nothing. */
function isSpecial(behaviour: string, body: Json, request: IncomingMessage, response: ServerResponse): boolean {
  const isSlow = body.params.name === 'slow';
  if (isSlow && behaviour === 'sse') response.writeHead(200, { 'content-type': EVENTS }).write(': wait\n\n');
  else if (behaviour.startsWith('http')) response.writeHead(307, { location: behaviour }).end();
  else if (behaviour === 'refuses') end(response, 401, `who is ${request.headers.authorization}?`);
  else if (behaviour === 'repeats') end(response, 500, `who is ${request.headers.authorization}?`);
  else if (behaviour === 'error') {
    const error = { code: -32_000, message: 'no such issue', data: { status: 404 } };
    end(response, 200, JSON.stringify({ jsonrpc: '2.0', id: body.id, error }), 'application/json');
  } else if (behaviour === 'breaks') response.destroy();
  else if (behaviour === 'breaks-off') response.writeHead(200, { 'content-type': EVENTS }).end(': bye\n\n');
  else if (behaviour === 'page') end(response, 200, '<html>', 'text/html');
  else if (behaviour === 'huge') endless(response, 'application/json', '{"jsonrpc":"2.0","x":"');
  else if (behaviour === 'huge-event') endless(response, EVENTS, 'data: ');
  else return isSlow;
  return true;
}

function give(behaviour: string, message: object, response: ServerResponse): void {
  if (behaviour !== 'sse') {
    end(response, 200, JSON.stringify(message), 'application/json');
    return;
  }
  // Goes on after the answer, which nobody waits for.
  response.writeHead(200, { 'content-type': EVENTS });
  response.write(': hello\n\nevent: other\ndata: x\n\ndata: {"half":\n\n');
  response.write(`id: 1\r\ndata: ${JSON.stringify(message)}\r\n\r\n`);
}

function resultOf(body: Json, request: IncomingMessage): object {
  if (body.method === 'initialize') {
    const { protocolVersion } = body.params;
    return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'http', version: '1' } };
  }
  if (body.method === 'tools/list') return { tools: TOOLS };
  if (body.method !== 'tools/call') return {};
  const text = body.params.name === 'where' ? JSON.stringify(request.headers) : `echo: ${body.params.arguments.text}`;
  return { content: [{ type: 'text', text }] };
}

function end(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** Never ends; but no faster than it is read. */
function endless(response: ServerResponse, type: string, start: string): void {
  response.writeHead(200, { 'content-type': type }).write(start);
  const piece = 'x'.repeat(1024 ** 2);
  const more = (): void => {
    if (response.destroyed) return;
    if (response.write(piece)) setImmediate(more);
    else response.once('drain', more);
  };
  more();
}

async function read(request: IncomingMessage): Promise<Json> {
  let text = '';
  for await (const piece of request) text += piece;
  return text === '' ? undefined : JSON.parse(text);
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
