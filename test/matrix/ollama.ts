import type { Json } from '../server.ts';
import { demand, type Fake, halves, onlyKeys, type Past, type Plan, TOOLS, type Turn } from './fake.ts';

const BODY = ['model', 'messages', 'stream', 'tools', 'options', 'think', 'keep_alive', 'format', 'truncate', 'shift'];
const KEYS: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'],
  user: ['role', 'content', 'images'],
  assistant: ['role', 'content', 'thinking', 'tool_calls'],
  tool: ['role', 'content', 'tool_name', 'tool_call_id'],
};

/** Ollama's own chat. The real one drops what it does not know without a word; this one says so. */
export function ollamaFake(model: string): Fake {
  return {
    model,
    calls: 'with text',
    keyHeader: 'authorization',
    check: ({ path, body }, past) => {
      demand(path === '/api/chat', `404 page not found: ${path}`, 404);
      onlyKeys(body, BODY, (key) => `json: unknown field "${key}"`);
      for (const tool of body.tools ?? []) demand(tool.type === 'function' && tool.function?.name, 'tool has no name');
      demand(Array.isArray(body.messages) && body.messages.length > 0, 'messages are required');
      checkMessages(body.messages);
      checkThinking(body.messages, past);
    },
    give,
    isStream: ({ body }) => body.stream !== false,
    whole: ({ form }) => ({ ...line(form, model), done: true, ...END }),
    pieces: ({ form: { tool_calls: calls, ...form } }) => [
      ...halves(form.thinking ?? '').map((thinking) =>
        ndjson(line({ role: 'assistant', content: '', thinking }, model)),
      ),
      ...halves(form.content).map((content) => ndjson(line({ role: 'assistant', content }, model))),
      ...(calls ?? []).map((call: Json) => ndjson(line({ role: 'assistant', content: '', tool_calls: [call] }, model))),
      ndjson({ ...line({ role: 'assistant', content: '' }, model), done: true, ...END }),
    ],
    refusal: ({ message }) => ({ error: message }),
    ideal: ({ question, turn, results = [] }) => ({
      path: '/api/chat',
      body: {
        model,
        stream: false,
        tools: TOOLS.map((tool) => ({ type: 'function', function: tool })),
        messages: [
          { role: 'user', content: question },
          ...(turn ? [{ ...turn.form }] : []),
          ...results.map((content, i) => ({ role: 'tool', tool_name: turn?.plan.calls[i]?.name, content })),
        ],
      },
    }),
  };
}

const END = { done_reason: 'stop', prompt_eval_count: 9, eval_count: 5 };

function line(message: Json, model: string): object {
  return { model, created_at: '2026-01-01T00:00:00Z', message, done: false };
}

function ndjson(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Calls come without ids, all at the index 0. */
function give(plan: Plan): Turn {
  const calls = plan.calls.map(({ name, args }) => ({ function: { name, arguments: args, index: 0 } }));
  const thinking = plan.reasoning === '' ? {} : { thinking: plan.reasoning };
  const form = { role: 'assistant', content: plan.text, ...thinking };
  return { plan, ids: [], form: calls.length > 0 ? { ...form, tool_calls: calls } : form };
}

function checkMessages(messages: Json[]): void {
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    const { role, content, tool_calls: calls, tool_name: name } = message;
    demand(KEYS[role], `invalid role: ${role}, must be one of [system, user, assistant, tool]`);
    onlyKeys(message, KEYS[role], (key) => `json: unknown field "messages.${key}"`);
    demand(typeof content === 'string', `json: cannot unmarshal into Go struct field ChatRequest.messages.content`);
    if (role !== 'tool') demand(open.length === 0, `messages[${i}]: no results of ${open}`);
    if (role === 'tool') {
      demand(open.includes(name), `messages[${i}]: result of a tool that was not called: ${name}`);
      open.splice(open.indexOf(name), 1);
    }
    for (const call of calls ?? []) {
      onlyKeys(call, ['id', 'type', 'function'], (key) => `json: unknown field "tool_calls.${key}"`);
      onlyKeys(call.function, ['name', 'arguments', 'index'], (key) => `json: unknown field "function.${key}"`);
      const words = `json: cannot unmarshal ${typeof call.function.arguments} into Go struct field ToolCallFunction.arguments`;
      demand(call.function.arguments?.constructor === Object, words);
      open = [...open, call.function.name];
    }
  }
  demand(open.length === 0, `no results of ${open}`);
}

/** Its own thinking comes back in a loop, as its documentation shows it, and no other. */
function checkThinking(messages: Json[], past: Past): void {
  const loop = messages.findLastIndex((message) => message.role === 'user');
  for (const [i, { role, content, thinking, tool_calls: calls }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const own = calls ? past.ofCall(calls[0].function.arguments)?.turn : past.ofText(content);
    if (own && calls && i > loop) {
      demand(thinking === own.form.thinking, `messages[${i}]: the thinking of the loop is missing or another`);
    }
    demand(thinking === undefined || thinking === own?.form.thinking, `messages[${i}]: this thinking was not issued`);
  }
}
