import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The provider of the runs: streams in the form of OpenAI's chat completions, 20 deltas a second each, over raw sockets.
 * What is streamed is in the model's name: `stream-300` is 300 deltas at once, `wave-a-500-300` waits until 500 streams
 * of the name `wave-a` are there, then all begin, spread over the first twentieth of a second. Each delta holds when it
 * was written: `@` and the microseconds of the system's monotonic clock, which all processes share.
 */
const EVERY_MS = 50;
const HEAD =
  'HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

const waiting = new Map<string, (() => void)[]>();

const server = createServer({ noDelay: true }, serve);
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
// The runner holds the other end: when it is gone, so is this process.
process.stdin.on('close', () => process.exit(0)).resume();

function serve(socket: Socket): void {
  let held = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    held += data.toString('latin1');
    const headEnd = held.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(held)?.[1] ?? 0);
    if (held.length < headEnd + 4 + length) return;
    const body = held.slice(headEnd + 4, headEnd + 4 + length);
    held = held.slice(headEnd + 4 + length);
    const [, model = ''] = /"model":\s*"([^"]*)"/.exec(body) ?? [];
    void stream(socket, model);
  });
}

async function stream(socket: Socket, model: string): Promise<void> {
  const [, wave, together, deltas = '1'] = /^(?:(wave-\w+)-(\d+)|stream)-(\d+)$/.exec(model) ?? [];
  socket.write(HEAD);
  socket.write(piece({ role: 'assistant', content: '' }));
  if (wave !== undefined) {
    await allThere(wave, Number(together));
    await sleep(Math.random() * EVERY_MS);
  }
  let left = Number(deltas);
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    socket.write(piece({ content: ` @${process.hrtime.bigint() / 1000n}` }));
    if (--left > 0) return;
    clearInterval(timer);
    socket.write(piece({}, 'stop') + chunk({ choices: [], usage: usage(Number(deltas)) }));
    socket.write(`${framed('data: [DONE]\n\n')}0\r\n\r\n`);
  }, EVERY_MS);
}

/** Resolves when so many streams of a wave are there. */
function allThere(wave: string, together: number): Promise<void> {
  return new Promise((resolve) => {
    const all = waiting.get(wave) ?? [];
    waiting.set(wave, all);
    all.push(resolve);
    if (all.length < together) return;
    waiting.delete(wave);
    for (const begin of all) begin();
  });
}

function piece(delta: object, finish: string | null = null): string {
  return chunk({ choices: [{ index: 0, delta, finish_reason: finish }] });
}

function chunk(value: object): string {
  return framed(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model: 'bench', ...value })}\n\n`);
}

/** As a chunk of HTTP; all is ASCII. */
function framed(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function usage(completion: number): object {
  return { prompt_tokens: 20, completion_tokens: completion, total_tokens: 20 + completion };
}
