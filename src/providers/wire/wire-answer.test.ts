import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../chat-model.ts';
import { PROFILES } from '../profiles.ts';
import { ollamaChat } from '../protocols/ollama-chat.ts';
import { openaiChat } from '../protocols/openai-chat.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Endpoint } from '../settings/endpoint.ts';
import type { Upstream } from '../transport/upstream.ts';
import { WireAnswer } from './wire-answer.ts';

const endpoint = { secrets: ['sk-secret'] } as unknown as Endpoint;

/** The events that these chunks of an upstream's body give. */
async function read(protocol: Protocol, chunks: Iterable<string | Buffer>, way: 'stream' | 'whole' = 'stream') {
  const upstream = {
    headers: {},
    body: [...chunks].map((chunk) => [Buffer.from(chunk)]),
    text: () => Promise.resolve([...chunks].join('')),
    complete: () => {},
  } as unknown as Upstream;
  const events: ProviderEvent[] = [];
  for await (const batch of new WireAnswer(PROFILES.openai, endpoint, protocol)[way](upstream)) {
    for (const event of batch) events.push(event);
  }
  return events;
}

const textOf = (events: ProviderEvent[]): string =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('');
const errorOf = (events: ProviderEvent[]) =>
  events.flatMap((event) => (event.type === 'error' ? [event.error] : []))[0];

const delta = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const line = (message: object, more: object = {}): string => `${JSON.stringify({ message, ...more })}\n`;

describe('a reader that fails', () => {
  const breaks: Protocol = {
    ...openaiChat,
    read: () => JSON.parse('1').a.b,
    reader: () => ({
      done: false,
      step: ({ data }) => {
        if (data !== 'sk-secret') return [{ type: 'text', text: data }];
        throw new RangeError('Maximum sk-secret');
      },
      end: () => [],
    }),
  };

  it('is a failure of the provider, after what came before', async () => {
    const events = await read(breaks, ['data: Yes\n\ndata: sk-secret\n\ndata: more\n\n']);
    expect(textOf(events)).toBe('Yes');
    expect(errorOf(events)).toMatchObject({
      code: 'provider_protocol',
      message: 'OpenAI: the answer could not be read',
    });
    expect(errorOf(await read(breaks, ['{}'], 'whole'))?.code).toBe('provider_protocol');
  });

  it('has a cause for the log that says where, without what was read', async () => {
    const cause = errorOf(await read(breaks, ['data: sk-secret\n\n']))?.cause as Error;
    expect(cause.stack).toMatch(/^RangeError\n {4}at .*wire-answer\.test/s);
    expect(`${cause.stack} ${cause.message}`).not.toContain('secret');
  });
});

describe('a stream', () => {
  it('has a limit as a whole answer has; what was read before is the caller’s', async () => {
    const comment = Buffer.from(`: ${'x'.repeat(1024 ** 2 - 3)}\n`);
    const long = [delta('Yes'), ...Array.from({ length: 64 }, () => comment), delta('No')];
    const events = await read(openaiChat, long);
    expect(textOf(events)).toBe('Yes');
    expect(errorOf(events)).toMatchObject({ code: 'provider_protocol' });
    expect(errorOf(events)?.message).toMatch(/over 67108864 bytes/);
    const fits = await read(openaiChat, [delta('Yes'), ...long.slice(1, 64), 'data: [DONE]\n\n']);
    expect(errorOf(fits)).toBeUndefined();
  });

  it('may have more events in one piece than the stack has room for', async () => {
    const calls = Array.from({ length: 150_000 }, (_, n) => ({ id: `c${n}`, function: { name: 'f', arguments: {} } }));
    const events = await read(ollamaChat, [line({ tool_calls: calls }) + line({}, { done: true })]);
    expect(errorOf(events)).toBeUndefined();
    expect(events.filter((event) => event.type === 'tool-call')).toHaveLength(150_000);
  });

  it('may begin with a byte order mark, on either framing', async () => {
    expect(textOf(await read(openaiChat, ['\uFEFF', `${delta('Yes')}data: [DONE]\n\n`]))).toBe('Yes');
    expect(textOf(await read(ollamaChat, [`\uFEFF${line({ content: 'Yes' }, { done: true })}`]))).toBe('Yes');
  });
});
