import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import { CALL, type FakeWire, inPieces, type Saying, SIM_KEY, sse, TOKENS } from './fake-wire.ts';

const USAGE = {
  prompt_tokens: TOKENS.prompt,
  completion_tokens: TOKENS.completion,
  total_tokens: TOKENS.prompt + TOKENS.completion,
};
const HEAD = { id: 'chatcmpl-sim', created: 1_700_000_000, model: 'sim' };

/** OpenAI's Chat Completions: https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: FakeWire = {
  wire: 'openai-chat',
  path: () => '/chat/completions',
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
    ...{ ...HEAD, object: 'chat.completion', usage: USAGE },
    choices: [{ index: 0, message: { role: 'assistant', ...messageOf(saying) }, finish_reason: finishOf(saying) }],
  }),
  frames: (saying) => [
    chunk({ role: 'assistant', content: '' }),
    ...inPieces(saying.reasoning).map((piece) => chunk({ reasoning_content: piece })),
    ...inPieces(saying.text).map((piece) => chunk({ content: piece })),
    ...(saying.calls ? callChunks() : []),
    chunk({}, finishOf(saying)),
    sse({ ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USAGE }),
    'data: [DONE]\n\n',
  ],
  contentType: 'text/event-stream',
  refusal: (message) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
};

function messageOf({ text, reasoning, calls }: Saying): JsonObject {
  const fn = { name: CALL.name, arguments: JSON.stringify(CALL.arguments) };
  return {
    content: text ?? null,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls ? { tool_calls: [{ id: CALL.id, type: 'function', function: fn }] } : {}),
  };
}

function finishOf({ calls }: Saying): string {
  return calls ? 'tool_calls' : 'stop';
}

/** The arguments come in two pieces. */
function callChunks(): string[] {
  const written = JSON.stringify(CALL.arguments);
  const call = (fn: JsonObject, more: JsonObject = {}): string =>
    chunk({ tool_calls: [{ index: 0, ...more, function: fn }] });
  return [
    call({ name: CALL.name, arguments: '' }, { id: CALL.id, type: 'function' }),
    call({ arguments: written.slice(0, 4) }),
    call({ arguments: written.slice(4) }),
  ];
}

function chunk(delta: JsonObject, finish: string | null = null): string {
  return sse({
    ...{ ...HEAD, object: 'chat.completion.chunk' },
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
}
