import { describe, expect, it } from 'vitest';
import { readStream } from '../../../test/protocol.ts';
import type { ProviderEvent } from '../chat-model.ts';
import { openaiChat } from './openai-chat.ts';
import { readingBothForms } from './openai-forms.ts';
import { openaiResponses } from './openai-responses.ts';
import { type Protocol, ProtocolError, ReportedError } from './protocol.ts';

const chatChunks = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: 'Yes' } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
];
const chatWhole = { choices: [{ message: { content: 'Yes' }, finish_reason: 'stop' }] };
const output = [{ type: 'message', content: [{ type: 'output_text', text: 'Yes' }] }];
const responsesEvents = [
  { type: 'response.created', response: {} },
  { type: 'response.output_text.delta', output_index: 0, delta: 'Yes' },
  { type: 'response.completed', response: { output } },
];
const responsesWhole = { object: 'response', status: 'completed', output };

function stream(protocol: Protocol, sent: unknown[]): ProviderEvent[] {
  return readStream(protocol, sent);
}

const answer = [
  { type: 'text', text: 'Yes' },
  { type: 'finish', reason: 'stop' },
];

describe.each([
  ['openai-chat', openaiChat],
  ['openai-responses', openaiResponses],
])('%s, reading both forms', (_, asked) => {
  const protocol = readingBothForms(asked);

  it('asks as it would alone', () => {
    expect(protocol.lower).toBe(asked.lower);
  });

  it.each([
    ['chat chunks', chatChunks],
    ['response events', responsesEvents],
  ])('reads %s, after a ping too', (_name, sent) => {
    expect(stream(protocol, sent)).toEqual(answer);
    expect(stream(protocol, [{ type: 'ping' }, ...sent])).toEqual(answer);
  });

  it.each([
    ['chat', chatWhole],
    ['responses', responsesWhole],
  ])('reads a whole answer of %s', (_name, body) => {
    expect(protocol.read(body, {})).toEqual(answer);
  });

  it('stays strict with what has neither form', () => {
    expect(() => protocol.read({ error: { message: 'No' } }, {})).toThrow(ReportedError);
    expect(() => protocol.read({ hello: 'there' }, {})).toThrow(ProtocolError);
    expect(() => stream(protocol, [{ error: { message: 'No' } }])).toThrow(ReportedError);
    expect(() => stream(protocol, [])).toThrow(ProtocolError);
    expect(protocol.reader({}).done).toBe(false);
  });
});
