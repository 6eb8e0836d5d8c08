import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The provider of the load: it takes about 100 ms for an answer, streamed in ten pieces or whole. The answer says how
 * many messages it was sent and repeats the last one, so that whoever reads it can tell which history it was given.
 */
const PIECES = 10;
const PIECE_MS = 10;

const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
// More callers than the system's usual queue of those who wait to be let in.
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
// The runner holds the other end: when it is gone, so is this process.
process.stdin.on('close', () => process.exit(0)).resume();

interface Asked {
  messages: { content: string | { text: string }[] }[];
  stream?: boolean;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { messages, stream } = JSON.parse(body) as Asked;
  const last = messages.at(-1)?.content ?? '';
  const text = `${messages.length} ${typeof last === 'string' ? last : last.map((part) => part.text).join('')}`;
  const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
  if (stream) await streamed(response, text, usage);
  else {
    await sleep(PIECES * PIECE_MS);
    response.writeHead(200, { 'content-type': 'application/json' });
    const choice = { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' };
    response.end(JSON.stringify({ choices: [choice], usage }));
  }
}

async function streamed(response: ServerResponse, text: string, usage: object): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (value: object): boolean => response.write(`data: ${JSON.stringify(value)}\n\n`);
  for (let i = 0; i < PIECES; i++) {
    const content = text.slice(Math.floor((i * text.length) / PIECES), Math.floor(((i + 1) * text.length) / PIECES));
    event({ choices: [{ index: 0, delta: { content } }] });
    await sleep(PIECE_MS);
  }
  event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  event({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}
