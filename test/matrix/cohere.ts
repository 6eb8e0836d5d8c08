import type { Json } from '../server.ts';
import { demand, type Fake, halves, onlyKeys, type Past, type Plan, sse, TOOLS, type Turn } from './fake.ts';

const BODY = [
  'model',
  'messages',
  'stream',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'thinking',
  'strict_tools',
  'response_format',
  ...['p', 'k', 'stop_sequences', 'seed', 'frequency_penalty', 'presence_penalty'],
];
const KEYS: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'],
  user: ['role', 'content'],
  assistant: ['role', 'content', 'tool_plan', 'tool_calls', 'citations'],
  tool: ['role', 'content', 'tool_call_id'],
};

/**
 * Cohere's Chat, version 2. Beside calls it says nothing but what it thinks: several calls come with thinking content,
 * a single one with a tool plan, as from the models that have only that.
 */
export function cohereFake(model: string): Fake {
  return {
    model,
    calls: 'alone',
    keyHeader: 'authorization',
    check: ({ path, body }, past) => {
      demand(path === '/v2/chat', `${path} not found`, 404);
      onlyKeys(body, BODY, (key) => `invalid request: unknown field: parameter '${key}' is not a valid field`, 422);
      demand(!(body.tools && body.response_format), 'invalid request: cannot specify both tools and response_format');
      demand(Array.isArray(body.messages) && body.messages.length > 0, 'invalid request: messages must not be empty');
      checkMessages(body.messages);
      checkThinking(body.messages, past);
    },
    give,
    isStream: ({ body }) => body.stream === true,
    whole: ({ form, plan }) => ({ id: '1', message: form, ...end(plan) }),
    pieces,
    refusal: ({ message }) => ({ id: '1', message }),
    ideal: ({ question, turn, results = [] }) => ({
      path: '/v2/chat',
      body: {
        model,
        tools: TOOLS.map((tool) => ({ type: 'function', function: tool })),
        messages: [
          { role: 'user', content: question },
          ...(turn ? [{ ...turn.form }] : []),
          ...results.map((content, i) => ({ role: 'tool', tool_call_id: turn?.ids[i], content })),
        ],
      },
    }),
  };
}

function end({ calls }: Plan): object {
  const tokens = { input_tokens: 9, output_tokens: 5 };
  return { finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE', usage: { tokens } };
}

let made = 0;

function give(plan: Plan): Turn {
  const ids = plan.calls.map(({ name }) => `${name}_${String(++made).padStart(12, 'x')}`);
  const calls = plan.calls.map(({ name, args }, i) => ({
    id: ids[i],
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));
  const thinking = { type: 'thinking', thinking: plan.reasoning };
  const form: Json = { role: 'assistant' };
  if (calls.length === 0)
    form.content = [...(plan.reasoning === '' ? [] : [thinking]), { type: 'text', text: plan.text }];
  else if (calls.length > 1 && plan.reasoning !== '') form.content = [thinking];
  else if (plan.reasoning !== '') form.tool_plan = plan.reasoning;
  if (calls.length > 0) form.tool_calls = calls;
  return { plan, ids, form };
}

function pieces({ form, plan }: Turn): string[] {
  const event = (type: string, index?: number, message?: object): string =>
    sse({ type, ...(index === undefined ? {} : { index }), ...(message ? { delta: { message } } : {}) }, type);
  return [
    event('message-start', undefined, { role: 'assistant', content: [], tool_plan: '', tool_calls: [] }),
    ...(form.content ?? []).flatMap(({ type, ...part }: Json, index: number) => [
      event('content-start', index, { content: { type, [type]: '' } }),
      ...halves(part[type]).map((half) => event('content-delta', index, { content: { [type]: half } })),
      event('content-end', index),
    ]),
    ...halves(form.tool_plan ?? '').map((tool_plan) => event('tool-plan-delta', undefined, { tool_plan })),
    ...(form.tool_calls ?? []).flatMap(({ function: fn, ...call }: Json, index: number) => [
      event('tool-call-start', index, { tool_calls: { ...call, function: { name: fn.name, arguments: '' } } }),
      ...halves(fn.arguments).map((half) =>
        event('tool-call-delta', index, { tool_calls: { function: { arguments: half } } }),
      ),
      event('tool-call-end', index),
    ]),
    sse({ type: 'message-end', delta: end(plan) }, 'message-end'),
  ];
}

function checkMessages(messages: Json[]): void {
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    const { role, content } = message;
    demand(KEYS[role], `invalid request: invalid role '${role}' in messages[${i}]`);
    onlyKeys(message, KEYS[role], (key) => `invalid request: unknown field '${key}' in messages[${i}]`, 422);
    if (role !== 'tool') demand(open.length === 0, `invalid request: missing tool results for ${open}`);
    if (role === 'assistant') open = checkAssistant(message, `messages[${i}]`);
    else demand(content?.length > 0, `invalid request: messages[${i}] must have content`);
    if (role === 'tool') {
      const found = open.indexOf(message.tool_call_id);
      demand(found !== -1, `invalid request: tool_call_id ${message.tool_call_id} is of no call before it`);
      open.splice(found, 1);
    }
  }
  demand(open.length === 0, `invalid request: missing tool results for ${open}`);
  demand(messages.at(-1)?.role !== 'assistant', 'invalid request: the last message must be of the user or a tool');
}

function checkAssistant({ content, tool_plan: plan, tool_calls: calls = [] }: Json, at: string): string[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  demand(calls.length > 0 || parts.length > 0, `invalid request: ${at} must have content or tool calls`);
  demand(calls.length > 0 || plan === undefined, `invalid request: tool_plan without tool_calls: ${at}`);
  for (const [n, part] of parts.entries()) {
    demand(['text', 'thinking'].includes(part.type), `invalid request: invalid content type ${part.type} in ${at}`);
    demand(part[part.type] !== '', `invalid request: empty content in ${at}`);
    const words = `text content is not allowed when tool_calls are provided. If you wish to pass a tool plan, either pass thinking content (with thinking enabled) or use 'tool_plan': '${at}.content[${n}]'`;
    demand(calls.length === 0 || part.type !== 'text', words);
  }
  return calls.map((call: Json) => {
    onlyKeys(call, ['id', 'type', 'function'], (key) => `invalid request: unknown field '${key}' in ${at}`, 422);
    const args: unknown = typeof call.function.arguments === 'string' ? JSON.parse(call.function.arguments) : undefined;
    demand(args?.constructor === Object, `invalid request: arguments must be a string of an object: ${at}`);
    demand(call.id && call.type === 'function' && call.function.name, `invalid request: incomplete tool call in ${at}`);
    return call.id;
  });
}

/**
 * Thinking and tool plan are its own, word for word and where they stood, and with calls of the current loop they come
 * back. With calls of others, the tool plan is what was said beside them.
 */
function checkThinking(messages: Json[], past: Past): void {
  const loop = messages.findLastIndex((message) => message.role === 'user');
  for (const [i, { role, content, tool_plan: plan, tool_calls: calls }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const text = typeof content === 'string' ? content : content?.find((part: Json) => part.type === 'text')?.text;
    const own = calls ? past.ofCall(JSON.parse(calls[0].function.arguments))?.turn : past.ofText(text);
    const inLoop = own && calls && i > loop;
    const thinking = thinkingOf(content);
    const issued = thinkingOf(own?.form.content);
    demand(thinking === issued || (thinking === '' && !inLoop), `messages[${i}]: this thinking was not issued`);
    const isPlan = plan === own?.form.tool_plan || (plan === undefined && !inLoop);
    demand(!own || isPlan, `messages[${i}]: this tool plan was not issued`);
    const isOurs = calls?.every((call: Json, n: number) => call.id === own?.ids[n]);
    demand(!own || !calls || isOurs, `messages[${i}]: not the call ids that were issued`);
  }
}

function thinkingOf(content: Json): string {
  if (!Array.isArray(content)) return '';
  return content.flatMap((part) => (part.type === 'thinking' ? [part.thinking] : [])).join('');
}
