import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import { CALL, type FakeWire, inPieces, type Saying, SIM_KEY, sse, TOKENS } from './fake-wire.ts';

const USAGE = {
  input_tokens: TOKENS.prompt,
  output_tokens: TOKENS.completion,
  total_tokens: TOKENS.prompt + TOKENS.completion,
};

/** OpenAI's Responses: https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: FakeWire = {
  wire: 'openai-responses',
  path: () => '/responses',
  key: ['authorization', `Bearer ${SIM_KEY}`],
  model: (_, body) => asString(body.model),
  isStream: (_, body) => body.stream === true,
  tools: (body) => asArray(body.tools).map((tool) => asObject(tool).name),
  result: (body) => {
    const found = asArray(body.input)
      .map(asObject)
      .find(({ type, call_id: id }) => type === 'function_call_output' && id === CALL.id);
    return found && asString(found.output);
  },
  whole: (saying) => response('completed', itemsOf(saying)),
  frames: (saying) => {
    const items = itemsOf(saying);
    return [
      event('response.created', { response: response('in_progress', []) }),
      ...items.flatMap((item, index) => itemFrames(item, index, saying)),
      event('response.completed', { response: response('completed', items) }),
    ];
  },
  contentType: 'text/event-stream',
  refusal: (message) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
};

function response(status: string, output: JsonObject[]): JsonObject {
  const usage = status === 'completed' ? { usage: USAGE } : {};
  return { id: 'resp_sim', object: 'response', status, model: 'sim', output, ...usage };
}

function itemsOf({ reasoning, text, calls }: Saying): JsonObject[] {
  const thought = { type: 'reasoning', id: 'rs_sim', encrypted_content: 'c2ltdWxhdGVk' };
  const said = { type: 'message', id: 'msg_sim', role: 'assistant', status: 'completed' };
  const called = { type: 'function_call', id: 'fc_sim', call_id: CALL.id, name: CALL.name, status: 'completed' };
  return [
    ...(reasoning === undefined ? [] : [{ ...thought, summary: [{ type: 'summary_text', text: reasoning }] }]),
    ...(text === undefined ? [] : [{ ...said, content: [{ type: 'output_text', text, annotations: [] }] }]),
    ...(calls ? [{ ...called, arguments: JSON.stringify(CALL.arguments) }] : []),
  ];
}

function itemFrames(item: JsonObject, index: number, saying: Saying): string[] {
  const at = { output_index: index, item_id: item.id };
  const empty =
    item.type === 'reasoning' ? { summary: [] } : item.type === 'message' ? { content: [] } : { arguments: '' };
  const [kind, pieces] =
    item.type === 'reasoning'
      ? (['reasoning_summary_text', inPieces(saying.reasoning)] as const)
      : item.type === 'message'
        ? (['output_text', inPieces(saying.text)] as const)
        : (['function_call_arguments', asString(item.arguments).match(/.{1,4}/gu) ?? []] as const);
  return [
    event('response.output_item.added', { output_index: index, item: { ...item, ...empty } }),
    ...pieces.map((delta) => event(`response.${kind}.delta`, { ...at, content_index: 0, delta })),
    event('response.output_item.done', { output_index: index, item }),
  ];
}

function event(type: string, fields: JsonObject): string {
  return sse({ type, ...fields }, type);
}
