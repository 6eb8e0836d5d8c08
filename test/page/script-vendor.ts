import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../server.ts';

/** One answer of the model. */
export interface Line {
  reasoning?: string;
  say?: string;
  calls?: readonly [string, object][];
}

/** A vendor that speaks the wire of OpenAI's chat completions, and has its answers from a script. */
export interface ScriptVendor {
  url: string;
  stop(): void;
}

/** @param script what it answers, one after the other, to a conversation that begins with these words. */
export async function startScriptVendor(script: Readonly<Record<string, readonly Line[]>>): Promise<ScriptVendor> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ data: [{ id: 'deepseek-chat' }, { id: 'deepseek-reasoner' }] }));
      return;
    }
    const { model, messages } = JSON.parse(text) as { model: string; messages: Json[] };
    const question = messages.find(({ role }) => role === 'user')?.content as string;
    const line = script[question]?.[messages.filter(({ role }) => role === 'assistant').length];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of chunksOf(line ?? { say: 'That is all.' }))
      response.write(`data: ${JSON.stringify({ id: 'c1', model, object: 'chat.completion.chunk', ...chunk })}\n\n`);
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function chunksOf({ reasoning, say, calls = [] }: Line): Json[] {
  const delta = (fields: Json): Json => ({ choices: [{ index: 0, delta: fields, finish_reason: null }] });
  const tool_calls = calls.map(([name, given], index) => ({
    ...{ index, id: `call_${name}`, type: 'function' },
    function: { name, arguments: JSON.stringify(given) },
  }));
  return [
    ...(reasoning === undefined ? [] : [delta({ reasoning_content: reasoning })]),
    ...(say === undefined ? [] : [delta({ content: say })]),
    ...(calls.length === 0 ? [] : [delta({ tool_calls })]),
    {
      choices: [{ index: 0, delta: {}, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
      usage: { prompt_tokens: 1830, completion_tokens: 214, total_tokens: 2044 },
    },
  ];
}
