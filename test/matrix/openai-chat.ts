import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../server.ts';
import { demand, type Fake, halves, onlyKeys, type Past, type Plan, type Sent, sse, TOOLS, type Turn } from './fake.ts';

/** Where the vendors of this wire differ. */
export interface ChatRules {
  /** Keys that a body may have beside those that all take. */
  body: readonly string[];
  /** Keys that an assistant message may have beside role and content. */
  assistant: readonly string[];
  /** How reasoning is given: a field, OpenRouter's details, Mistral's content parts, or tags in the text. */
  reasoning: 'reasoning' | 'reasoning_content' | 'details' | 'parts' | 'tags';
  /**
   * Own reasoning must come back: with calls of the current loop, or a field of it with every assistant message. Some
   * vendors would only answer worse without it.
   */
  demanded?: 'loop' | 'always';
  /** How its call ids look; `name` is the tool's. */
  callId(number: number, name: string): string;
  /** Which call ids it takes. */
  takesId?: RegExp;
  /** The finish reason of an answer with calls. */
  finish: string;
  /** Takes no tools, and user and assistant must alternate. */
  plain?: boolean;
  /** A tool's result may not be followed by the user. */
  noUserAfterTool?: boolean;
  /** A tool's function may be `strict`. */
  strict?: boolean;
  /** The types of `response_format` that it knows. */
  formats?: readonly string[];
  /** `response_format` is refused beside tools. */
  formatOrTools?: boolean;
  /** Refused words in a schema. */
  refusedKeyword?: string;
  /** What is said of a key that it does not know, and with what status. */
  unknown(path: string): string;
  unknownStatus?: number;
  refusal: Fake['refusal'];
}

const BODY = ['model', 'messages', 'stream', 'max_tokens', 'temperature', 'top_p', 'stop', 'response_format'];
const TOOL_BODY = ['tools', 'tool_choice', 'parallel_tool_calls'];

/** OpenAI's Chat Completions, as one of its many followers speaks it. */
export function chatFake(model: string, rules: ChatRules): Fake {
  const { refusal } = rules;
  return {
    model,
    calls: rules.plain ? 'never' : 'with text',
    keyHeader: 'authorization',
    check: (sent, past) => {
      checkBody(sent, rules);
      checkMessages(sent.body.messages, rules);
      if (rules.plain) checkAlternation(sent.body.messages);
      checkReasoning(sent.body.messages, rules, past);
    },
    give: (plan, sealed) => give(plan, sealed, rules),
    isStream: ({ body }) => body.stream === true,
    whole: ({ form, plan }) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model,
      choices: [{ index: 0, message: form, finish_reason: plan.calls.length > 0 ? rules.finish : 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    }),
    pieces: (turn) => pieces(turn, rules),
    refusal,
    ideal: ({ question, turn, results = [] }) => ({
      path: '/chat/completions',
      body: {
        model,
        ...(rules.plain ? {} : { tools: TOOLS.map((tool) => ({ type: 'function', function: tool })) }),
        messages: [
          { role: 'user', content: question },
          ...(turn ? [turn.form] : []),
          ...results.map((content, i) => ({ role: 'tool', tool_call_id: turn?.ids[i], content })),
          ...(turn && rules.plain ? [{ role: 'user', content: 'And then?' }] : []),
        ],
      },
    }),
  };
}

let made = 0;

function give(plan: Plan, sealed: () => string, rules: ChatRules): Turn {
  const ids = plan.calls.map(({ name }) => rules.callId(++made, name));
  const calls = plan.calls.map(({ name, args }, i) => ({
    id: ids[i],
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));
  const { reasoning, text } = plan;
  const form: Json = { role: 'assistant', content: text === '' ? null : text };
  if (calls.length > 0) form.tool_calls = calls;
  if (reasoning === '') return { plan, ids, form };
  switch (rules.reasoning) {
    case 'parts':
      form.content = [
        { type: 'thinking', thinking: [{ type: 'text', text: reasoning }] },
        ...(text === '' ? [] : [{ type: 'text', text }]),
      ];
      break;
    case 'tags':
      form.content = `<think>\n${reasoning}\n</think>\n\n${text}`;
      break;
    case 'details':
      form.reasoning = reasoning;
      form.reasoning_details = [
        { type: 'reasoning.text', text: reasoning, signature: sealed(), format: 'anthropic-claude-v1', index: 0 },
        {
          type: 'reasoning.encrypted',
          data: sealed(),
          id: ids[0] ?? `rs_${made}`,
          format: 'anthropic-claude-v1',
          index: 1,
        },
      ];
      break;
    default:
      form[rules.reasoning] = reasoning;
  }
  return { plan, ids, form };
}

function pieces({ form, plan }: Turn, rules: ChatRules): string[] {
  const chunk = (delta: object, finish: string | null = null): string =>
    sse({ id: 'c1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] });
  return [
    chunk({ role: 'assistant', content: '' }),
    ...(plan.reasoning === '' ? [] : reasoningDeltas(form, rules)).map((delta) => chunk(delta)),
    ...halves(rules.reasoning === 'tags' ? form.content : plan.text).map((content) => chunk({ content })),
    ...(form.tool_calls ?? []).flatMap(({ function: fn, ...call }: Json, index: number) => {
      const [first, second] = halves(fn.arguments);
      return [
        chunk({ tool_calls: [{ index, ...call, function: { name: fn.name, arguments: first } }] }),
        chunk({ tool_calls: [{ index, function: { arguments: second } }] }),
      ];
    }),
    chunk({}, plan.calls.length > 0 ? rules.finish : 'stop'),
    sse({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 } }),
    'data: [DONE]\n\n',
  ];
}

function reasoningDeltas(form: Json, rules: ChatRules): object[] {
  switch (rules.reasoning) {
    case 'tags':
      return [];
    case 'parts':
      return halves(form.content[0].thinking[0].text).map((text) => ({
        content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }],
      }));
    case 'details': {
      const [{ text, signature, ...detail }, encrypted] = form.reasoning_details;
      return [
        ...halves(text).map((half) => ({ reasoning: half, reasoning_details: [{ ...detail, text: half }] })),
        { reasoning_details: [{ ...detail, signature }] },
        { reasoning_details: [encrypted] },
      ];
    }
    default:
      return halves(form[rules.reasoning]).map((half) => ({ [rules.reasoning]: half }));
  }
}

function checkBody({ path, body }: Sent, rules: ChatRules): void {
  const { unknown, unknownStatus } = rules;
  demand(path === '/chat/completions', `Not Found: ${path}`, 404);
  onlyKeys(body, [...BODY, ...(rules.plain ? [] : TOOL_BODY), ...rules.body], unknown, unknownStatus);
  demand(Array.isArray(body.messages) && body.messages.length > 0, 'messages must not be empty');
  const format = body.response_format?.type;
  demand(!(format && body.tools && rules.formatOrTools), 'json mode cannot be combined with tool/function calling');
  demand(!format || (rules.formats?.includes(format) ?? true), 'This response_format type is unavailable now');
  for (const [i, tool] of (body.tools ?? []).entries()) {
    onlyKeys(tool, ['type', 'function'], (key) => unknown(`tools.${i}.${key}`), unknownStatus);
    demand(tool.type === 'function' && tool.function?.name, `tools.${i}.function.name is required`);
    const fields = ['name', 'description', 'parameters', ...(rules.strict ? ['strict'] : [])];
    onlyKeys(tool.function, fields, (key) => unknown(`tools.${i}.function.${key}`), unknownStatus);
    const text = JSON.stringify(tool.function.parameters);
    const refused = rules.refusedKeyword;
    demand(!refused || !text.includes(`"${refused}":`), `Unsupported JSON schema fields: {'${refused}'}`);
  }
}

/** Roles, keys, contents, and that calls and results belong together. */
function checkMessages(messages: Json[], rules: ChatRules): void {
  const { unknown, unknownStatus } = rules;
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    const { role, content } = message;
    if (role !== 'tool') noneOpen(open);
    const known = ['role', 'content', ...(KEYS[role] ?? []), ...(role === 'assistant' ? rules.assistant : [])];
    onlyKeys(message, known, (key) => unknown(`messages.${i}.${role}.${key}`), unknownStatus);
    switch (role) {
      case 'system':
        demand(typeof content === 'string' && content !== '', `messages.${i}: content must be text`);
        break;
      case 'user':
        demand(content?.length > 0, `messages.${i}: content must not be empty`);
        demand(
          !rules.noUserAfterTool || messages[i - 1]?.role !== 'tool',
          "Unexpected role 'user' after role 'tool'",
          400,
          '3230',
        );
        break;
      case 'assistant':
        checkContent(message, `messages.${i}`, rules);
        open = (message.tool_calls ?? []).map((call: Json) => checkCall(call, i, rules));
        demand(new Set(open).size === open.length, `messages.${i}: Duplicate tool call id`);
        break;
      case 'tool': {
        demand(!rules.plain, `messages.${i}: Input should be 'system', 'user' or 'assistant'`);
        const found = open.indexOf(message.tool_call_id);
        demand(found !== -1, `messages.${i}: 'tool' must be a response to a preceding message with 'tool_calls'`);
        demand(typeof content === 'string', `messages.${i}: content must be text`);
        open.splice(found, 1);
        break;
      }
      default:
        demand(false, `messages.${i}.role: unknown role ${role}`);
    }
  }
  noneOpen(open);
  demand(messages.at(-1)?.role !== 'assistant', 'Expected last role User or Tool but got assistant');
}

const KEYS: Readonly<Record<string, readonly string[]>> = { tool: ['tool_call_id'] };

function noneOpen(open: string[]): void {
  demand(open.length === 0, `tool_call_ids did not have response messages: ${open}`);
}

function checkContent({ content, tool_calls: calls }: Json, at: string, rules: ChatRules): void {
  const parts = rules.reasoning === 'parts' && Array.isArray(content) && content.length > 0;
  const isText = typeof content === 'string' && (content !== '' || calls);
  demand(parts || isText || (content === null && calls), `${at}: content must be text, or null beside tool_calls`);
  demand(calls === undefined || calls.length > 0, `${at}.tool_calls: [] is too short`);
}

function checkCall(call: Json, i: number, { unknown, unknownStatus, takesId }: ChatRules): string {
  const at = `messages.${i}.tool_calls`;
  onlyKeys(call, ['id', 'type', 'function'], (key) => unknown(`${at}.${key}`), unknownStatus);
  onlyKeys(call.function, ['name', 'arguments'], (key) => unknown(`${at}.function.${key}`), unknownStatus);
  demand(typeof call.id === 'string' && call.id !== '' && call.type === 'function', `${at}: id and type are required`);
  demand(!takesId || takesId.test(call.id), `Tool call id was ${call.id} but must be ${takesId}`);
  const args: unknown = typeof call.function.arguments === 'string' ? JSON.parse(call.function.arguments) : undefined;
  demand(args?.constructor === Object, `${at}.function.arguments: expected a string of a JSON object`);
  return call.id;
}

function checkAlternation(messages: Json[]): void {
  const words =
    'After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s).';
  const rest = messages.slice(messages.findIndex((message) => message.role !== 'system'));
  for (const [i, { role }] of rest.entries()) demand(role === (i % 2 === 0 ? 'user' : 'assistant'), words);
  demand(rest.at(-1)?.role === 'user', 'Last message must have role `user`.');
}

/** Reasoning comes back as it was issued or, if the vendor does not insist, not at all. */
function checkReasoning(messages: Json[], rules: ChatRules, past: Past): void {
  const loop = messages.findLastIndex((message) => message.role === 'user');
  for (const [i, message] of messages.entries()) {
    if (message.role !== 'assistant') continue;
    const call = message.tool_calls?.[0];
    const own = call ? past.ofCall(JSON.parse(call.function.arguments))?.turn : past.ofText(textOf(message.content));
    const back = reasoningOf(message, rules);
    if (rules.demanded === 'always') {
      const words = 'The `reasoning_content` in the thinking mode must be passed back to the API.';
      demand(typeof back === 'string', words);
      // Of a turn without calls it is not read again.
      demand(!call || !own || back !== '' || own.plan.reasoning === '', words);
    }
    const reasoned = own && own.plan.reasoning !== '' && call;
    const needed = reasoned && rules.demanded === 'loop' && i > loop;
    demand(!needed || back !== undefined, `messages.${i}: the reasoning of the loop is missing`);
    // Its details may name the calls.
    const isOurs = reasoned && message.tool_calls.every((one: Json, n: number) => one.id === own.ids[n]);
    demand(isOurs || !reasoned, `messages.${i}: not the call ids that were issued`);
    if (back === undefined || back === '') continue;
    demand(
      own && isDeepStrictEqual(back, reasoningOf(own.form, rules)),
      `messages.${i}: this reasoning was not issued`,
    );
  }
}

function textOf(content: Json): string {
  if (!Array.isArray(content)) return content;
  return content.flatMap((part: Json) => (part.type === 'text' ? [part.text] : [])).join('');
}

/** What of reasoning a message has, in a form that can be compared; undefined if there is none. */
function reasoningOf(message: Json, rules: ChatRules): unknown {
  if (rules.reasoning === 'tags') return undefined;
  if (rules.reasoning === 'details') return message.reasoning_details && joined(message.reasoning_details);
  if (rules.reasoning !== 'parts') return message[rules.reasoning];
  if (!Array.isArray(message.content)) return undefined;
  for (const part of message.content) {
    demand(part.type === 'text' || part.type === 'thinking', `content: Input tag '${part.type}' does not match`, 422);
  }
  const thinking = message.content.filter((part: Json) => part.type === 'thinking');
  if (thinking.length === 0) return undefined;
  return thinking.flatMap((part: Json) => part.thinking.map((piece: Json) => piece.text)).join('');
}

/** Details of a stream belong together by index. */
function joined(details: Json[]): Json[] {
  const out: Json[] = [];
  for (const { text, ...detail } of details) {
    const known = out.find((one) => one.index === detail.index && one.type === detail.type);
    const whole = known ?? {};
    Object.assign(whole, detail, text === undefined ? {} : { text: (whole.text ?? '') + text });
    if (!known) out.push(whole);
  }
  return out;
}
