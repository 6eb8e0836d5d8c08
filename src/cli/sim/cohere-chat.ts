import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import { CALL, type FakeWire, inPieces, type Saying, SIM_KEY, sse, TOKENS } from './fake-wire.ts';

const USAGE = { tokens: { input_tokens: TOKENS.prompt, output_tokens: TOKENS.completion } };

/** Cohere's Chat, version 2: https://docs.cohere.com/reference/chat */
export const cohereChat: FakeWire = {
  wire: 'cohere-chat',
  path: () => '/chat',
  key: ['authorization', `Bearer ${SIM_KEY}`],
  model: (_, body) => asString(body.model),
  isStream: (_, body) => body.stream === true,
  tools: (body) => asArray(body.tools).map((tool) => asObject(asObject(tool).function).name),
  result: (body) => {
    const found = asArray(body.messages)
      .map(asObject)
      .find(({ role, tool_call_id: id }) => role === 'tool' && id === CALL.id);
    return found && asString(found.content);
  },
  whole: (saying) => ({
    ...{ id: 'sim', finish_reason: finishOf(saying), usage: USAGE },
    message: {
      role: 'assistant',
      ...(saying.calls ? { tool_calls: [callOf(JSON.stringify(CALL.arguments))] } : { content: partsOf(saying) }),
    },
  }),
  frames: (saying) => [
    event('message-start', { id: 'sim', delta: { message: { role: 'assistant', content: [] } } }),
    ...partsOf(saying).flatMap(partFrames),
    ...(saying.calls ? callFrames() : []),
    event('message-end', { delta: { finish_reason: finishOf(saying), usage: USAGE } }),
  ],
  contentType: 'text/event-stream',
  refusal: (message) => ({ id: 'sim', message }),
};

function finishOf({ calls }: Saying): string {
  return calls ? 'TOOL_CALL' : 'COMPLETE';
}

function partsOf({ reasoning, text }: Saying): { type: 'thinking' | 'text'; value: string; [more: string]: unknown }[] {
  return [
    ...(reasoning === undefined ? [] : [{ type: 'thinking' as const, value: reasoning, thinking: reasoning }]),
    ...(text === undefined ? [] : [{ type: 'text' as const, value: text, text }]),
  ];
}

function partFrames({ type, value }: { type: 'thinking' | 'text'; value: string }, index: number): string[] {
  const piece = (kind: string, content: JsonObject): string =>
    event(`content-${kind}`, { index, delta: { message: { content } } });
  return [
    piece('start', { type, [type]: '' }),
    ...inPieces(value).map((text) => piece('delta', { [type]: text })),
    event('content-end', { index }),
  ];
}

function callOf(written: string): JsonObject {
  return { id: CALL.id, type: 'function', function: { name: CALL.name, arguments: written } };
}

function callFrames(): string[] {
  const written = JSON.stringify(CALL.arguments).match(/.{1,5}/gu) ?? [];
  const call = (kind: string, calls: JsonObject): string =>
    event(`tool-call-${kind}`, { index: 0, delta: { message: { tool_calls: calls } } });
  return [
    call('start', callOf('')),
    ...written.map((piece) => call('delta', { function: { arguments: piece } })),
    event('tool-call-end', { index: 0 }),
  ];
}

function event(type: string, fields: JsonObject): string {
  return sse({ type, ...fields }, type);
}
