import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../server.ts';
import { demand, type Fake, halves, onlyKeys, type Past, type Plan, sse, TOOLS, type Turn } from './fake.ts';

/** Where the three vendors of this wire differ. */
export interface ResponsesRules {
  keyHeader: string;
  /** Its messages say whether they are commentary or the answer, and must say so again. */
  phases: boolean;
  /** Takes a temperature although the model reasons. */
  temperature: boolean;
  /** How its call ids look. */
  callId(number: number): string;
  refusal: Fake['refusal'];
}

const BODY = [
  'model',
  'input',
  'instructions',
  'store',
  'include',
  'stream',
  'tools',
  'tool_choice',
  'max_output_tokens',
  'reasoning',
  'parallel_tool_calls',
  'text',
  'prompt_cache_key',
];
const ITEMS: Readonly<Record<string, string[]>> = {
  message: ['type', 'role', 'content', 'id', 'status', 'phase'],
  reasoning: ['type', 'id', 'summary', 'encrypted_content', 'content', 'status'],
  function_call: ['type', 'id', 'call_id', 'name', 'arguments', 'status'],
  function_call_output: ['type', 'id', 'call_id', 'output', 'status'],
};

/** OpenAI's Responses, without state on the vendor's side. */
export function responsesFake(model: string, rules: ResponsesRules): Fake {
  const { keyHeader, refusal } = rules;
  let made = 0;
  return {
    model,
    calls: 'with text',
    keyHeader,
    check: ({ path, body }, past) => {
      demand(path === '/responses', `Reasoning with tools is not supported on ${path}; use /responses`, 404);
      checkBody(body, rules);
      const items = body.input.map((item: Json) => ('role' in item ? { ...item, type: 'message' } : item));
      for (const [i, item] of items.entries()) checkItem(item, `input[${i}]`);
      checkCalls(items);
      checkReasoning(items, past);
      checkOwn(items, past);
    },
    give: (plan, sealed) => give(plan, sealed, () => `${++made}`, rules),
    isStream: ({ body }) => body.stream === true,
    whole: ({ form }) => whole(model, form),
    pieces: ({ form }) => pieces(model, form),
    refusal,
    ideal: ({ question, turn, results = [] }) => ({
      path: '/responses',
      body: {
        model,
        store: false,
        include: ['reasoning.encrypted_content'],
        tools: TOOLS.map((tool) => ({ type: 'function', ...tool })),
        input: [
          { role: 'user', content: question },
          ...(turn?.form ?? []),
          ...results.map((output, i) => ({ type: 'function_call_output', call_id: turn?.ids[i], output })),
        ],
      },
    }),
  };
}

function give(plan: Plan, sealed: () => string, number: () => string, { callId, phases }: ResponsesRules): Turn {
  const id = (prefix: string): string => `${prefix}_${number().padStart(24, '0')}`;
  const ids = plan.calls.map(() => callId(Number(number())));
  const reasoning = {
    id: id('rs'),
    type: 'reasoning',
    summary: [{ type: 'summary_text', text: plan.reasoning }],
    encrypted_content: sealed(),
  };
  const message = {
    id: id('msg'),
    type: 'message',
    role: 'assistant',
    status: 'completed',
    ...(phases ? { phase: ids.length > 0 ? 'commentary' : 'final_answer' } : {}),
    content: [{ type: 'output_text', text: plan.text, annotations: [] }],
  };
  const form = [
    ...(plan.reasoning === '' ? [] : [reasoning]),
    ...(plan.text === '' ? [] : [message]),
    ...plan.calls.map(({ name, args }, i) => ({
      id: id('fc'),
      type: 'function_call',
      status: 'completed',
      call_id: ids[i],
      name,
      arguments: JSON.stringify(args),
    })),
  ];
  return { plan, ids, form };
}

function whole(model: string, output: Json): object {
  return {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    error: null,
    incomplete_details: null,
    model,
    output,
    usage: {
      input_tokens: 9,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 14,
    },
  };
}

function pieces(model: string, output: Json[]): string[] {
  let sequence = 0;
  const event = (type: string, data: object): string => sse({ type, sequence_number: sequence++, ...data }, type);
  const response = whole(model, []);
  return [
    event('response.created', { response: { ...response, status: 'in_progress', usage: null } }),
    event('response.in_progress', { response: { ...response, status: 'in_progress', usage: null } }),
    ...output.flatMap((item, output_index) => {
      const at = { item_id: item.id, output_index };
      return [
        event('response.output_item.added', { output_index, item: { ...item, ...begin(item), status: 'in_progress' } }),
        ...inside(item).map(([type, data]) => event(type, { ...at, ...data })),
        event('response.output_item.done', { output_index, item }),
      ];
    }),
    event('response.completed', { response: whole(model, output) }),
  ];
}

function begin({ type }: Json): object {
  if (type === 'reasoning') return { summary: [], encrypted_content: undefined };
  return type === 'message' ? { content: [] } : { arguments: '' };
}

function inside(item: Json): [string, object][] {
  if (item.type === 'function_call') {
    const deltas = halves(item.arguments).map((delta) => ['response.function_call_arguments.delta', { delta }]);
    return [...deltas, ['response.function_call_arguments.done', { arguments: item.arguments }]] as [string, object][];
  }
  const { text } = (item.summary ?? item.content)[0];
  const [part, words, index] =
    item.type === 'reasoning'
      ? ['reasoning_summary_part', 'reasoning_summary_text', { summary_index: 0 }]
      : ['content_part', 'output_text', { content_index: 0 }];
  return [
    [`response.${part}.added`, { ...index, part: { type: 'output_text', text: '' } }],
    ...halves(text).map((delta): [string, object] => [`response.${words}.delta`, { ...index, delta }]),
    [`response.${words}.done`, { ...index, text }],
    [`response.${part}.done`, { ...index, part: { type: 'output_text', text } }],
  ];
}

function checkBody(body: Json, rules: ResponsesRules): void {
  if (!rules.temperature) {
    demand(!('temperature' in body), "Unsupported parameter: 'temperature' is not supported with this model.");
  }
  const known = [...BODY, ...(rules.temperature ? ['temperature', 'top_p'] : [])];
  onlyKeys(body, known, (key) => `Unknown parameter: '${key}'.`);
  demand(body.store === false, 'store must be false: nothing is to stay with the vendor');
  demand(body.include?.includes('reasoning.encrypted_content'), 'include must name reasoning.encrypted_content');
  demand(Array.isArray(body.input) && body.input.length > 0, "Missing required parameter: 'input'.");
  for (const [i, tool] of (body.tools ?? []).entries()) {
    const words = (key: string): string => `Unknown parameter: 'tools[${i}].${key}'.`;
    onlyKeys(tool, ['type', 'name', 'description', 'parameters', 'strict'], words);
    demand(tool.type === 'function' && tool.name, `Missing required parameter: 'tools[${i}].name'.`);
  }
}

function checkItem(item: Json, at: string): void {
  const known = ITEMS[item.type];
  demand(known, `Invalid value: '${item.type}'. Supported values are: ${Object.keys(ITEMS)}: ${at}.type`);
  onlyKeys(item, known, (key) => `Unknown parameter: '${at}.${key}'.`);
  const prefix = { message: 'msg', reasoning: 'rs', function_call: 'fc', function_call_output: 'fco' }[
    item.type as string
  ];
  demand(
    item.id === undefined || item.id.startsWith(`${prefix}_`),
    `Invalid '${at}.id': '${item.id}'. Expected ${prefix}_`,
  );
  if (item.call_id !== undefined) {
    demand(item.call_id.length <= 64, `Invalid '${at}.call_id': string too long. Expected at most 64 characters.`);
  }
  if (item.type === 'message') checkContent(item, at);
  if (item.type === 'function_call') {
    const args: unknown = typeof item.arguments === 'string' ? JSON.parse(item.arguments) : undefined;
    demand(args?.constructor === Object, `Invalid type for '${at}.arguments': expected a string of an object.`);
  }
  if (item.type === 'function_call_output') {
    demand(typeof item.output === 'string', `Invalid type for '${at}.output': expected a string.`);
  }
}

function checkContent({ role, content }: Json, at: string): void {
  const roles = ['user', 'assistant', 'system', 'developer'];
  demand(roles.includes(role), `Invalid value: '${role}'. Supported values are: ${roles}: ${at}.role`);
  demand(content?.length > 0, `Missing required parameter: '${at}.content'.`);
  if (typeof content === 'string') return;
  const types = role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file'];
  for (const part of content) {
    demand(types.includes(part.type), `Invalid value: '${part.type}'. Supported values are: ${types}: ${at}.content`);
  }
}

function checkCalls(items: Json[]): void {
  const ids = (type: string): string[] => items.filter((item) => item.type === type).map((item) => item.call_id);
  const calls = ids('function_call');
  const outputs = ids('function_call_output');
  for (const id of calls) {
    demand(calls.indexOf(id) === calls.lastIndexOf(id), `Duplicate function call with call_id ${id}.`);
    demand(outputs.includes(id), `No tool output found for function call ${id}.`);
  }
  for (const id of outputs) {
    demand(calls.includes(id), `No tool call found for function call output with call_id ${id}.`);
    demand(outputs.indexOf(id) === outputs.lastIndexOf(id), `Duplicate output for call_id ${id}.`);
  }
}

/** Reasoning is its own, unmodified, and before what it was made for. */
function checkReasoning(items: Json[], past: Past): void {
  const issued = past.turns.flatMap((turn) => turn.form as Json[]);
  for (const [i, item] of items.entries()) {
    if (item.type !== 'reasoning') continue;
    demand(item.encrypted_content, `Item with id '${item.id}' not found. Items are not persisted.`, 404);
    const own = issued.find((one) => one.encrypted_content === item.encrypted_content);
    const words = 'The encrypted content could not be verified.';
    demand(own && (item.id ?? own.id) === own.id, words, 400, 'invalid_encrypted_content');
    demand(isDeepStrictEqual(item.summary, own.summary), `input[${i}].summary is not the one that was issued`);
    const next = issued[issued.indexOf(own) + 1];
    const follows = items[i + 1]?.call_id ?? textOf(items[i + 1]);
    const missing = `Item '${own.id}' of type 'reasoning' was provided without its required following item.`;
    demand(follows === (next?.call_id ?? textOf(next)), missing);
  }
}

/** What is its own and has its id, or belongs to the current loop, comes with its reasoning and as it was issued. */
function checkOwn(items: Json[], past: Past): void {
  const loop = items.findLastIndex((item) => item.role === 'user');
  for (const [i, item] of items.entries()) {
    const isCall = item.type === 'function_call';
    const turn = isCall
      ? past.ofCall(JSON.parse(item.arguments))?.turn
      : past.turns.find((one) => item.role === 'assistant' && one.plan.text === textOf(item));
    if (!turn || (item.id === undefined && i < loop)) continue;
    const [reasoning] = turn.form;
    const before = items.slice(0, i).some((one) => one.encrypted_content === reasoning.encrypted_content);
    demand(
      before || reasoning.type !== 'reasoning',
      `Item of type '${item.type}' was provided without its required 'reasoning' item: '${reasoning.id}'.`,
    );
    const phase = turn.form.find((one: Json) => one.type === 'message')?.phase;
    if (isCall) demand(turn.ids.includes(item.call_id), `input[${i}].call_id is not the one that was issued`);
    else demand(item.phase === phase, `input[${i}].phase is ${item.phase}, was ${phase}`);
  }
}

function textOf(item: Json): string | undefined {
  if (typeof item?.content === 'string') return item.content;
  return item?.content?.map((part: Json) => part.text).join('');
}
