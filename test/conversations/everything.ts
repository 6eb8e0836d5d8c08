import type { Json } from '../server.ts';

/** A message without what a copy has of its own. */
export function content({ id: _, conversationId: _of, seq: _at, ...rest }: Json): Json {
  return rest;
}

/** What of a conversation a copy has too. */
export function settings(conversation: Json): Json {
  const { title, presetId, taskId, ticketId, model, systemPrompt, temperature, maxTokens, metadata } = conversation;
  return { title, presetId, taskId, ticketId, model, systemPrompt, temperature, maxTokens, metadata };
}

export const PIXEL = `data:image/png;base64,${Buffer.from('not really a picture').toString('base64')}`;

/** Everything that a message can have. */
export const EVERYTHING: Json[] = [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'Look at these' },
      { type: 'image', image: PIXEL },
      { type: 'image', image: 'https://example.com/a.png' },
      { type: 'file', file: 'data:application/pdf;base64,AAAA', filename: 'a "b" ü.pdf' },
      { type: 'file', file: 'data:text/plain;base64,AAAA' },
    ],
    createdAt: '2026-01-02T03:04:05.678Z',
  },
  {
    role: 'assistant',
    content: 'Let me see.',
    reasoning: 'Two thoughts.',
    parts: [
      { type: 'reasoning', text: 'Two ', origin: { provider: 'anthropic', model: 'm' }, data: { signature: 's==' } },
      { type: 'reasoning', text: 'thoughts.' },
      { type: 'text', text: 'Let me see.', data: { deep: [{ er: null }] } },
      { type: 'tool-call', id: 'c1' },
      { type: 'tool-call', id: 'c2' },
      { type: 'tool-call', id: 'c3' },
    ],
    sources: [{ url: 'https://example.com', title: 'T' }, { url: 'x:y' }],
    provider: 'anthropic',
    model: 'claude-next',
    tokenUsage: { prompt: 5, completion: 6, total: 12 },
    cost: 0.25,
    finishReason: 'tool-calls',
    duration: 1234,
    createdAt: '2026-01-02T03:04:06.000Z',
    toolCalls: [
      {
        id: 'c1',
        name: 'look',
        arguments: { a: [1, { b: null }], z: 'ü' },
        result: 'seen',
        status: 'success',
        duration: 7,
        origin: { provider: 'anthropic', model: 'm' },
        data: { thought: 'x' },
      },
      { id: 'c2', name: 'look', arguments: {}, result: '', status: 'error', duration: null },
      {
        id: 'c3',
        name: 'look',
        arguments: {},
        invalidArguments: '{"cut',
        result: null,
        status: 'denied',
        duration: null,
      },
    ],
  },
  { role: 'assistant', content: '' },
  { role: 'user', content: 'Thanks' },
  { role: 'assistant', content: 'You are welcome', provider: 'openai', model: 'm', finishReason: 'length' },
];
