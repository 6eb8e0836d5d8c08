import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import { CALL, type FakeWire, inPieces, type Saying, SIM_KEY, sse, TOKENS } from './fake-wire.ts';

const HEAD = { id: 'msg_sim', type: 'message', role: 'assistant', model: 'sim' };

/** Anthropic's Messages: https://docs.anthropic.com/en/api/messages */
export const anthropicMessages: FakeWire = {
  wire: 'anthropic-messages',
  path: () => '/messages',
  key: ['x-api-key', SIM_KEY],
  model: (_, body) => asString(body.model),
  isStream: (_, body) => body.stream === true,
  tools: (body) => asArray(body.tools).map((tool) => asObject(tool).name),
  result: (body) => {
    const blocks = asArray(body.messages).flatMap((message) => asArray(asObject(message).content).map(asObject));
    const found = blocks.find(({ type, tool_use_id: id }) => type === 'tool_result' && id === CALL.id);
    if (!found) return undefined;
    if (typeof found.content === 'string') return found.content;
    return asArray(found.content)
      .map((part) => asString(asObject(part).text))
      .join('');
  },
  whole: (saying) => ({
    ...{ ...HEAD, content: blocksOf(saying), stop_reason: stopOf(saying), stop_sequence: null },
    usage: { input_tokens: TOKENS.prompt, output_tokens: TOKENS.completion },
  }),
  frames: (saying) => [
    event('message_start', {
      message: {
        ...{ ...HEAD, content: [], stop_reason: null },
        usage: { input_tokens: TOKENS.prompt, output_tokens: 1 },
      },
    }),
    event('ping', {}),
    ...blocksOf(saying).flatMap(blockFrames),
    event('message_delta', {
      delta: { stop_reason: stopOf(saying), stop_sequence: null },
      usage: { output_tokens: TOKENS.completion },
    }),
    event('message_stop', {}),
  ],
  contentType: 'text/event-stream',
  refusal: (message) => ({ type: 'error', error: { type: 'invalid_request_error', message } }),
};

function stopOf({ calls }: Saying): string {
  return calls ? 'tool_use' : 'end_turn';
}

function blocksOf({ reasoning, text, calls }: Saying): JsonObject[] {
  return [
    ...(reasoning === undefined ? [] : [{ type: 'thinking', thinking: reasoning, signature: 'c2ltdWxhdGVk' }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...(calls ? [{ type: 'tool_use', id: CALL.id, name: CALL.name, input: CALL.arguments }] : []),
  ];
}

function blockFrames(block: JsonObject, index: number): string[] {
  const delta = (fields: JsonObject): string => event('content_block_delta', { index, delta: fields });
  const around = (empty: JsonObject, deltas: string[]): string[] => [
    event('content_block_start', { index, content_block: { ...block, ...empty } }),
    ...deltas,
    event('content_block_stop', { index }),
  ];
  if (block.type === 'thinking') {
    const thoughts = inPieces(asString(block.thinking)).map((thinking) => delta({ type: 'thinking_delta', thinking }));
    const signed = delta({ type: 'signature_delta', signature: block.signature });
    return around({ thinking: '', signature: '' }, [...thoughts, signed]);
  }
  if (block.type === 'text') {
    const pieces = inPieces(asString(block.text));
    return around(
      { text: '' },
      pieces.map((text) => delta({ type: 'text_delta', text })),
    );
  }
  const pieces = JSON.stringify(block.input).match(/.{1,5}/gu) ?? [];
  return around(
    { input: {} },
    pieces.map((piece) => delta({ type: 'input_json_delta', partial_json: piece })),
  );
}

function event(type: string, fields: JsonObject): string {
  return sse({ type, ...fields }, type);
}
