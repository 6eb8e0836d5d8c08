import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { followRun, startRun } from '../../src/client/follow-run.ts';
import type { RunEvent } from '../../src/client/run-events.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let close = (): void => {};
afterEach(() => close());

/** A server that gives one answer after the other; the last one again and again. */
async function serve(...answers: Answer[]): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(request);
    answer?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function lines(from: number, to: number, last?: string): string {
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const id = from + at;
    const type = id === to && last !== undefined ? last : 'content';
    return `id: ${id}\ndata: ${JSON.stringify({ type, data: { step: 1, text: `${id}` }, timestamp: 1 })}\n\n`;
  }).join('');
}

const stream =
  (text: string, isCut = false): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => (isCut ? response.destroy() : response.end()));
  };

async function follow(url: string, after = 0, onLost?: (why: unknown) => void): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  const signal = AbortSignal.timeout(20_000);
  for await (const some of followRun({ url }, 'run_1', after, { signal, ...(onLost ? { onLost } : {}) }))
    all.push(...some);
  return all;
}

describe('followRun', () => {
  it('comes back after the last event when the stream breaks off, and gives each event once', async () => {
    const lost: unknown[] = [];
    const { url, asked } = await serve(
      stream(`${lines(1, 3)}id: 4\ndata: {"type":"con`, true),
      (response) => response.writeHead(503).end(),
      stream(lines(3, 6, 'complete')),
    );
    const all = await follow(url, 0, (why) => lost.push(why));
    expect(all.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '3', '3']);
    expect(lost.at(0)).toBeInstanceOf(Error);
    expect(lost.at(-1)).toBeUndefined();
  });

  it('ends where nothing more comes', async () => {
    const { url } = await serve((response) => response.writeHead(204).end());
    expect(await follow(url, 7)).toEqual([]);
  });

  it('goes on after the last event that a reset stands for', async () => {
    const reset = { type: 'reset', data: { reason: 'folded', lastEventId: 5, events: [] }, timestamp: 1 };
    const { url, asked } = await serve(stream(`data: ${JSON.stringify(reset)}\n\n`), stream(lines(6, 7, 'complete')));
    expect((await follow(url, 2)).map(({ type }) => type)).toEqual(['reset', 'content', 'complete']);
    expect(asked[1]?.headers['last-event-id']).toBe('5');
  });

  it('gives up at what does not pass', async () => {
    const { url } = await serve((response) =>
      response.writeHead(404).end(JSON.stringify({ error: 'Run not found', code: 'not_found' })),
    );
    await expect(follow(url)).rejects.toMatchObject({ status: 404, code: 'not_found' });
  });

  it('ends quietly when it is told to', async () => {
    const { url } = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(lines(1, 1));
    });
    const leaving = new AbortController();
    const seen: number[] = [];
    for await (const some of followRun({ url }, 'run_1', 0, { signal: leaving.signal })) {
      seen.push(...some.map(({ id }) => id));
      leaving.abort();
    }
    expect(seen).toEqual([1]);
  });

  it('reads events that are cut anywhere, also within a character', async () => {
    const text = lines(1, 2, 'complete').replace('"1"', '"Grüße 🌍"');
    const { url } = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of Buffer.from(text)) response.write(Buffer.of(byte));
      response.end();
    });
    expect((await follow(url))[0]?.data).toMatchObject({ text: 'Grüße 🌍' });
  });
});

describe('startRun', () => {
  it('sends the message with its key and gives the id of the run, whose stream it leaves', async () => {
    const start = { type: 'session:start', data: { sessionId: 'run_9' }, timestamp: 1 };
    const left = Promise.withResolvers<void>();
    const { url, asked } = await serve((response) => {
      response.on('close', () => left.resolve());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`id: 1\ndata: ${JSON.stringify(start)}\n\n`);
    });
    const { signal } = new AbortController();
    expect(await startRun({ url }, 'conv_1', { content: 'Hi' }, { signal, key: 'k' })).toBe('run_9');
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/api/chat/conversations/conv_1/messages/agentic' });
    expect(asked[0]?.headers['idempotency-key']).toBe('k');
    await left.promise;
  });

  it('says that the connection was lost if it does not learn of the run', async () => {
    const { url } = await serve(stream('', true));
    const { signal } = new AbortController();
    const starting = startRun({ url }, 'conv_1', { content: 'Hi' }, { signal, key: 'k' });
    await expect(starting).rejects.toMatchObject({ code: 'unreachable' });
  });
});
