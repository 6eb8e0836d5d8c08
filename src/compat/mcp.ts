import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { EventStream } from '../http/event-stream.ts';
import { Page } from '../http/page.ts';
import { defineRoute, type RouteRequest } from '../http/route.ts';
import { cancelCall } from './mcp-cancellation.ts';
import { mcpServer } from './mcp-server.ts';

const PATH = '/mcp';

/** Of an answer, what is sent on beside its content type. */
const KEPT = ['allow', 'mcp-protocol-version'];

const common = {
  path: PATH,
  scope: 'any',
  tag: 'MCP',
  response: z.unknown(),
} as const;

/** An MCP server over streamable HTTP, for every version since 2025-03-26. It keeps no sessions. */
export const mcpServerRoutes = [
  defineRoute({
    ...common,
    method: 'post',
    summary: 'One message of the Model Context Protocol',
    description: 'docs/mcp-server.md lists the tools. Which of them there are depends on the scopes of the key.',
    body: z.record(z.string(), z.unknown(), 'must be one JSON-RPC message, not a batch of them'),
    event: z.unknown(),
    handle: (request) => answer(request),
  }),
  defineRoute({
    ...common,
    method: 'get',
    summary: 'Not there: the server sends nothing by itself (405)',
    handle: notAllowed,
  }),
  defineRoute({
    ...common,
    method: 'delete',
    summary: 'Not there: there are no sessions to end (405)',
    handle: notAllowed,
  }),
];

function notAllowed(): Page {
  const error = { code: -32_000, message: 'This server keeps no sessions: there is only POST' };
  const text = JSON.stringify({ jsonrpc: '2.0', id: null, error });
  return new Page(text, { 'content-type': 'application/json', allow: 'POST' }, 405);
}

async function answer(request: RouteRequest<unknown, unknown, Record<string, unknown>>): Promise<Page | EventStream> {
  // Only who asks for it pays for loading it.
  const library = await import('@modelcontextprotocol/server');
  const { log } = request.services;
  const { body } = request;
  cancelCall(request, body);
  const controller = new AbortController();
  const handler = library.createMcpHandler(() => mcpServer(library, request, controller), {
    // What changes nothing by itself needs no subscriptions.
    maxSubscriptions: 0,
    onerror: (err) => log.debug({ requestId: request.requestId, err }, 'MCP request refused'),
  });
  const headers = messageHeaders(request.headers);
  const signal = AbortSignal.any([request.signal, controller.signal]);
  const response = await handler.fetch(new Request(`http://localhost${PATH}`, { method: 'POST', headers, signal }), {
    parsedBody: body,
  });
  // A name that tells one client's calls from another's, so that it can cancel them; nothing is kept under it.
  const named: Record<string, string> =
    body.method === 'initialize' && response.ok ? { 'mcp-session-id': randomUUID() } : {};
  return toReply(response, named);
}

/** What the protocol says in headers; who asks, and from where, has been seen to. */
function messageHeaders(given: RouteRequest<unknown, unknown, unknown>['headers']): Headers {
  const headers = new Headers({ 'content-type': 'application/json', accept: given.accept ?? '' });
  for (const [name, value] of Object.entries(given))
    if (name.startsWith('mcp-') && typeof value === 'string') headers.set(name, value);
  return headers;
}

async function toReply(response: Response, more: Record<string, string>): Promise<Page | EventStream> {
  const type = response.headers.get('content-type') ?? 'application/json';
  const kept = KEPT.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const headers: Record<string, string> = { ...Object.fromEntries(kept), ...more };
  if (response.body && type.startsWith('text/event-stream'))
    return new EventStream(response.body.pipeThrough(new TextDecoderStream()), { headers });
  return new Page(await response.text(), { ...headers, 'content-type': type }, response.status);
}
