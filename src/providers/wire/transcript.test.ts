import { describe, expect, it } from 'vitest';
import type { Message } from '../chat-model.ts';
import { project } from './transcript.ts';

const A = { provider: 'anthropic', model: 'claude-sonnet-5' };
const B = { provider: 'openai', model: 'gpt-5.5' };

const transcript: Message[] = [
  { role: 'system', text: 'S' },
  { role: 'user', parts: [{ type: 'text', text: 'U' }] },
  {
    role: 'assistant',
    parts: [
      { type: 'reasoning', text: 'R', origin: A, data: { signature: 's' } },
      { type: 'text', text: 'T', origin: A, data: { phase: 'x' } },
      { type: 'tool-call', call: { id: 'toolu.1', name: 'f', arguments: {}, origin: A, data: { d: 1 } } },
      { type: 'tool-call', call: { id: 'toolu_1', name: 'f', arguments: {} } },
    ],
  },
  { role: 'tool', toolCallId: 'toolu.1', toolName: 'f', text: '1' },
  { role: 'tool', toolCallId: 'toolu_1', toolName: 'f', text: '2' },
];

describe('project', () => {
  it('gives its own reasoning and data back to where they came from', () => {
    expect(project(transcript, A, undefined)[2]).toEqual({
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: 'R', origin: A, data: { signature: 's' } },
        { type: 'text', text: 'T', origin: A, data: { phase: 'x' } },
        { type: 'tool-call', call: { id: 'toolu.1', name: 'f', arguments: {}, data: { d: 1 } } },
        { type: 'tool-call', call: { id: 'toolu_1', name: 'f', arguments: {} } },
      ],
    });
  });

  it.each([B, { ...A, model: 'claude-opus-5-5' }])(
    'gives %j text and calls, and nothing that it would refuse',
    (target) => {
      expect(project(transcript, target, undefined)[2]).toEqual({
        role: 'assistant',
        parts: [
          { type: 'text', text: 'T' },
          { type: 'tool-call', call: { id: 'toolu.1', name: 'f', arguments: {} } },
          { type: 'tool-call', call: { id: 'toolu_1', name: 'f', arguments: {} } },
        ],
      });
    },
  );

  it('replaces ids that the target refuses, in calls and results alike, and two never by the same', () => {
    const messages = project(transcript, B, { pattern: /^[a-zA-Z0-9]{9}$/, length: 9 });
    const calls = messages.flatMap((message) =>
      message.role === 'assistant'
        ? message.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call.id] : []))
        : [],
    );
    const results = messages.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : []));
    expect(results).toEqual(calls);
    expect(new Set(calls).size).toBe(2);
    for (const id of calls) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(project(transcript, B, { pattern: /^[\w-]+$/, length: 32 })[4]).toMatchObject({ toolCallId: 'toolu_1' });
  });

  it('drops a turn of which nothing is left, and leaves what it was given as it was', () => {
    const lone: Message[] = [{ role: 'assistant', parts: [{ type: 'reasoning', text: 'R', origin: A }] }];
    const before = structuredClone(transcript);
    expect(project(lone, B, undefined)).toEqual([]);
    expect(project(lone, A, undefined)).toEqual(lone);
    project(transcript, B, { pattern: /^x$/, length: 9 });
    expect(transcript).toEqual(before);
  });
});
