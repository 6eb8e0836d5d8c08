import { CHUNKS, STREAM_CHUNKS, STREAM_TEXT, WORDS } from './answers.ts';

/** A wire as the bench speaks it: who is asked, where its provider answers, and the pieces of a streamed answer. */
export interface BenchWire {
  name: string;
  /** What our server is asked for. */
  model: string;
  /** Where the provider answers a stream. */
  path: string;
  /** One for each write: the beginning, 500 deltas, the end. */
  chunks: readonly string[];
  /** What a complete answer of the provider has at its end. */
  endMark: string;
}

const deltas = Array.from({ length: CHUNKS }, (_, i) => WORDS[i % WORDS.length] ?? '');
const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const event = (type: string, rest: object = {}): string => `event: ${type}\n${data({ type, ...rest })}`;
const line = (value: object): string => `${JSON.stringify(value)}\n`;

const responses = (): string[] => {
  const at = { item_id: 'msg_67c9fdcf37fc8190ba82116e33fb28c5', output_index: 0, content_index: 0 };
  const whole = { type: 'message', id: at.item_id, status: 'completed', role: 'assistant' };
  const usage = { input_tokens: 38, output_tokens: CHUNKS, total_tokens: 38 + CHUNKS };
  const response = { id: 'resp_67c9fdcecf488190bdd9a0409de3a1ec', object: 'response', model: 'gpt-5.5' };
  const output = [{ ...whole, content: [{ type: 'output_text', text: STREAM_TEXT, annotations: [] }] }];
  let sequence_number = 0;
  const numbered = (type: string, rest: object): string => event(type, { sequence_number: sequence_number++, ...rest });
  return [
    numbered('response.created', { response: { ...response, status: 'in_progress', output: [] } }),
    ...deltas.map((delta) => numbered('response.output_text.delta', { ...at, delta, logprobs: [] })),
    numbered('response.output_item.done', { output_index: 0, item: output[0] }),
    numbered('response.completed', { response: { ...response, status: 'completed', output, usage } }),
  ];
};

const messages = (): string[] => [
  event('message_start', {
    message: { type: 'message', role: 'assistant', content: [], usage: { input_tokens: 38, output_tokens: 1 } },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  ...deltas.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: CHUNKS } }),
  event('message_stop'),
];

const gemini = (): string[] => {
  const rest = { modelVersion: 'gemini-3.8-flash', responseId: 'kT4ZaYzFJ5uU1MkP' };
  const chunk = (text: string, finishReason?: string): string => {
    const usageMetadata = { promptTokenCount: 38, candidatesTokenCount: CHUNKS, totalTokenCount: 38 + CHUNKS };
    const candidate = {
      content: { parts: [{ text }], role: 'model' },
      index: 0,
      ...(finishReason ? { finishReason } : {}),
    };
    return data({ candidates: [candidate], usageMetadata, ...rest });
  };
  return [...deltas.map((text) => chunk(text)), chunk('', 'STOP')];
};

const ollama = (): string[] => {
  const head = { model: 'qwen3.5', created_at: '2026-01-01T00:00:00.000000Z' };
  const message = (content: string): object => ({ message: { role: 'assistant', content } });
  return [
    ...deltas.map((text) => line({ ...head, ...message(text), done: false })),
    line({ ...head, ...message(''), done: true, done_reason: 'stop', prompt_eval_count: 38, eval_count: CHUNKS }),
  ];
};

const cohere = (): string[] => [
  event('message-start', { id: '1', delta: { message: { role: 'assistant', content: [] } } }),
  ...deltas.map((text) => event('content-delta', { index: 0, delta: { message: { content: { text } } } })),
  event('message-end', {
    delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 38, output_tokens: CHUNKS } } },
  }),
];

/** All wires; the first is the one of the comparison with the pipes. */
export const WIRES: readonly BenchWire[] = [
  {
    name: 'openai-chat',
    model: 'openai/gpt-4o-mini',
    path: '/v1/chat/completions',
    chunks: STREAM_CHUNKS,
    endMark: 'data: [DONE]',
  },
  {
    name: 'openai-responses',
    model: 'openai/gpt-5.5',
    path: '/v1/responses',
    chunks: responses(),
    endMark: '"total_tokens"',
  },
  {
    name: 'anthropic-messages',
    model: 'anthropic/claude-sonnet-5',
    path: '/v1/messages',
    chunks: messages(),
    endMark: 'message_stop',
  },
  {
    name: 'gemini',
    model: 'google/gemini-3.8-flash',
    path: '/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse',
    chunks: gemini(),
    endMark: '"STOP"',
  },
  { name: 'ollama-chat', model: 'ollama/qwen3.5', path: '/api/chat', chunks: ollama(), endMark: '"done":true' },
  {
    name: 'cohere-chat',
    model: 'cohere/command-a-03-2025',
    path: '/v2/chat',
    chunks: cohere(),
    endMark: 'message-end',
  },
];
