import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutToolData } from '../../src/core/tool-data.ts';
import type { Json } from '../server.ts';

/** A provider that answers each message in its own words, in small pieces, so that a part or a mix-up is seen. */
export interface Upstream {
  /** What makes it the server's only provider. */
  environment: Record<string, string>;
  /** Refuses every call from now on, or no more. */
  refuse(isRefusing: boolean): void;
  /** How often it was asked. */
  asked(): number;
  stop(): Promise<void>;
}

/** What a conversation's model is called, so that this upstream answers. */
export const MODEL = 'groq/model';

/** Of every answer. */
export const ANSWER_TOKENS = 10;

/** A message that begins with it is answered with a call of the tool of that name. */
export const TOOL = 'look';

/** The same, of one of the server's own. */
export const WRITE = 'write_file';

const SUMMARY = 'They spoke of this and that and came to an end.';
const PIECES = 6;

/** The whole answer to a message. */
export function answerTo(content: string): string {
  return `This is the answer to ${content} with words that are worth nothing in part, end of ${content}.`;
}

/** The call that a message is answered with if it asks for one. */
export function callFor(content: string): { id: string; name: string; arguments: Record<string, string> } {
  const id = `call_${content.replaceAll(/\W/g, '_')}`;
  if (content.startsWith(WRITE)) return { id, name: WRITE, arguments: { path: 'written', content } };
  return { id, name: TOOL, arguments: { at: content } };
}

/** @param pauseMs between the pieces of an answer. */
export async function startUpstream(pauseMs: number): Promise<Upstream> {
  let refusing = false;
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.method === 'POST') asked++;
    serve(request, response, { refusing, pauseMs }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    environment: {
      GROQ_API_KEY: 'sk-kill',
      GROQ_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    refuse: (isRefusing) => {
      refusing = isRefusing;
    },
    asked: () => asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { refusing, pauseMs }: { refusing: boolean; pauseMs: number },
): Promise<void> {
  let text = '';
  for await (const chunk of request) text += chunk;
  const send = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (request.method === 'GET') return send(200, { data: [] });
  if (refusing) return send(400, { error: { message: 'not today' } });
  const body = JSON.parse(text);
  const message = messageFor(body);
  const finish_reason = message.tool_calls ? 'tool_calls' : 'stop';
  const usage = { prompt_tokens: ANSWER_TOKENS - 3, completion_tokens: 3, total_tokens: ANSWER_TOKENS };
  if (!body.stream) {
    await sleep(pauseMs * PIECES);
    return send(200, { choices: [{ index: 0, message, finish_reason }], usage });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const delta of deltas(message)) {
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
    await sleep(pauseMs);
  }
  response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason }] })}\n\n`);
  response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

function messageFor({ messages, tools }: Json): Json {
  const last = messages.at(-1);
  const asked = withoutToolData(textOf(last.content));
  if (messages[0].role === 'system' && textOf(messages[0].content).startsWith('You condense')) {
    return { role: 'assistant', content: SUMMARY };
  }
  if (!tools || ![TOOL, WRITE].some((name) => asked.startsWith(name)))
    return { role: 'assistant', content: answerTo(asked) };
  const { id, name, arguments: given } = callFor(asked);
  const call = { index: 0, id, type: 'function', function: { name, arguments: JSON.stringify(given) } };
  return { role: 'assistant', content: '', tool_calls: [call] };
}

function deltas({ content, tool_calls }: Json): object[] {
  if (tool_calls) return [{ tool_calls }];
  const size = Math.ceil(content.length / PIECES);
  return Array.from({ length: PIECES }, (_, at) => ({ content: content.slice(at * size, (at + 1) * size) }));
}

function textOf(content: Json): string {
  return typeof content === 'string' ? content : content.map(({ text = '' }: Json) => text).join('');
}
