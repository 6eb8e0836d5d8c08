import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import { CALL, type FakeWire, inPieces, type Saying, SIM_KEY, TOKENS } from './fake-wire.ts';

const HEAD = { model: 'sim', created_at: '2024-01-01T00:00:00Z' };
const END = { done: true, done_reason: 'stop', prompt_eval_count: TOKENS.prompt, eval_count: TOKENS.completion };

/** Ollama's own chat: https://github.com/ollama/ollama/blob/main/docs/api.md */
export const ollamaChat: FakeWire = {
  wire: 'ollama-chat',
  path: () => '/api/chat',
  key: ['authorization', `Bearer ${SIM_KEY}`],
  model: (_, body) => asString(body.model),
  isStream: (_, body) => body.stream !== false,
  tools: (body) => asArray(body.tools).map((tool) => asObject(asObject(tool).function).name),
  result: (body) => {
    const found = asArray(body.messages)
      .map(asObject)
      .find(({ role, tool_name: name }) => role === 'tool' && name === CALL.name);
    return found && asString(found.content);
  },
  whole: (saying) => ({ ...HEAD, message: messageOf(saying), ...END }),
  frames: (saying) => [
    ...inPieces(saying.reasoning).map((thinking) => line({ content: '', thinking })),
    ...inPieces(saying.text).map((content) => line({ content })),
    ...(saying.calls ? [line({ content: '', tool_calls: [CALL_ITEM] })] : []),
    `${JSON.stringify({ ...HEAD, message: { role: 'assistant', content: '' }, ...END })}\n`,
  ],
  contentType: 'application/x-ndjson',
  refusal: (message) => ({ error: message }),
};

const CALL_ITEM = { id: CALL.id, function: { index: 0, name: CALL.name, arguments: CALL.arguments } };

function messageOf({ reasoning, text, calls }: Saying): JsonObject {
  return {
    role: 'assistant',
    content: text ?? '',
    ...(reasoning === undefined ? {} : { thinking: reasoning }),
    ...(calls ? { tool_calls: [CALL_ITEM] } : {}),
  };
}

function line(message: JsonObject): string {
  return `${JSON.stringify({ ...HEAD, message: { role: 'assistant', ...message }, done: false })}\n`;
}
