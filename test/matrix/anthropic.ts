import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../server.ts';
import { demand, type Fake, halves, onlyKeys, type Past, type Plan, sse, TOOLS, type Turn } from './fake.ts';

const BODY = [
  'model',
  'max_tokens',
  'messages',
  'system',
  'stream',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'metadata',
  'stop_sequences',
];
const BLOCKS: Readonly<Record<string, { role: string; keys: string[] }>> = {
  text: { role: 'any', keys: ['type', 'text', 'cache_control'] },
  image: { role: 'user', keys: ['type', 'source', 'cache_control'] },
  tool_result: { role: 'user', keys: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'] },
  thinking: { role: 'assistant', keys: ['type', 'thinking', 'signature'] },
  redacted_thinking: { role: 'assistant', keys: ['type', 'data'] },
  tool_use: { role: 'assistant', keys: ['type', 'id', 'name', 'input', 'cache_control'] },
};

/** Anthropic's Messages: a model that thinks by itself, and between its blocks too. */
export function anthropicFake(model: string): Fake {
  return {
    model,
    calls: 'with text',
    keyHeader: 'x-api-key',
    check: (sent, past) => {
      demand(sent.path === '/messages', `Not Found: ${sent.path}`, 404);
      demand(sent.headers['anthropic-version'] === '2023-06-01', 'anthropic-version: header is required');
      checkBody(sent.body);
      checkMessages(sent.body.messages, past);
    },
    give,
    isStream: (sent) => sent.body.stream === true,
    whole: ({ form, plan }) => ({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: form,
      stop_reason: plan.calls.length > 0 ? 'tool_use' : 'end_turn',
      usage: { input_tokens: 9, output_tokens: 5 },
    }),
    pieces,
    refusal: ({ message, status }) => ({
      type: 'error',
      error: { type: status === 401 ? 'authentication_error' : 'invalid_request_error', message },
      request_id: 'req_1',
    }),
    ideal: ({ question, turn, results = [] }) => ({
      path: '/messages',
      body: {
        model,
        max_tokens: 1000,
        tools: TOOLS.map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters })),
        messages: [
          { role: 'user', content: question },
          ...(turn ? [{ role: 'assistant', content: turn.form }] : []),
          ...(turn
            ? [
                {
                  role: 'user',
                  content: results.map((content, i) => ({ type: 'tool_result', tool_use_id: turn.ids[i], content })),
                },
              ]
            : []),
        ],
      },
    }),
  };
}

let made = 0;

function give(plan: Plan, sealed: () => string): Turn {
  const ids = plan.calls.map(() => `toolu_01${String(++made).padStart(20, 'A')}`);
  const uses = plan.calls.map(({ name, args }, i) => ({ type: 'tool_use', id: ids[i], name, input: args }));
  const { reasoning, text } = plan;
  const thinking = [
    { type: 'thinking', thinking: reasoning, signature: sealed() },
    { type: 'redacted_thinking', data: sealed() },
  ];
  // Thinking between the blocks, of which nothing is shown.
  const between = { type: 'thinking', thinking: '', signature: sealed() };
  const form = [
    ...(reasoning === '' ? [] : thinking),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...(reasoning === '' || text === '' || uses.length === 0 ? [] : [between]),
    ...uses,
  ];
  return { plan, ids, form };
}

function pieces({ form, plan }: Turn): string[] {
  const event = (data: { type: string; [key: string]: unknown }): string => sse(data, data.type);
  return [
    event({ type: 'message_start', message: { role: 'assistant', content: [], usage: { input_tokens: 9 } } }),
    ...form.flatMap((block: Json, index: number) => [
      event({ type: 'content_block_start', index, content_block: { ...block, ...begin(block) } }),
      ...deltas(block).map((delta) => event({ type: 'content_block_delta', index, delta })),
      event({ type: 'content_block_stop', index }),
    ]),
    event({
      type: 'message_delta',
      delta: { stop_reason: plan.calls.length > 0 ? 'tool_use' : 'end_turn' },
      usage: { output_tokens: 5 },
    }),
    event({ type: 'message_stop' }),
  ];
}

function begin({ type }: Json): object {
  if (type === 'thinking') return { thinking: '', signature: '' };
  if (type === 'text') return { text: '' };
  return type === 'tool_use' ? { input: {} } : {};
}

function deltas(block: Json): { type: string }[] {
  if (block.type === 'text') return halves(block.text).map((text) => ({ type: 'text_delta', text }));
  if (block.type === 'thinking') {
    const { signature } = block;
    const thinking = halves(block.thinking).map((half) => ({ type: 'thinking_delta', thinking: half }));
    return [...thinking, { type: 'signature_delta', signature } as { type: string }];
  }
  if (block.type !== 'tool_use') return [];
  return halves(JSON.stringify(block.input)).map((half) => ({ type: 'input_json_delta', partial_json: half }));
}

function checkBody(body: Json): void {
  demand(!('temperature' in body), '`temperature` is deprecated for this model.');
  onlyKeys(body, BODY, (key) => `${key}: Extra inputs are not permitted`);
  demand(Number.isInteger(body.max_tokens), 'max_tokens: Field required');
  demand(!['enabled'].includes(body.thinking?.type), '"thinking.type.enabled" is not supported for this model.');
  demand(Array.isArray(body.messages) && body.messages.length > 0, 'messages: at least one message is required');
  const blocks = body.messages.flatMap(({ content }: Json) => (Array.isArray(content) ? content : []));
  demand(
    body.tools?.length > 0 || !blocks.some((block: Json) => /^tool_(use|result)$/.test(block.type)),
    'Requests which include `tool_use` or `tool_result` blocks must define tools.',
  );
  for (const [i, tool] of (body.tools ?? []).entries()) {
    onlyKeys(
      tool,
      ['name', 'description', 'input_schema', 'cache_control'],
      (key) => `tools.${i}.${key}: Extra inputs are not permitted`,
    );
    demand(/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name), `tools.${i}.name: String should match pattern`);
    demand(tool.input_schema?.type === 'object', `tools.${i}.input_schema.type: Field required`);
  }
}

/** Neighbours of one role count as one message. */
function checkMessages(messages: Json[], past: Past): void {
  const turns: { role: string; content: Json[] }[] = [];
  for (const [i, message] of messages.entries()) {
    onlyKeys(message, ['role', 'content'], (key) => `messages.${i}.${key}: Extra inputs are not permitted`);
    const { role } = message;
    demand(role === 'user' || role === 'assistant', `messages.${i}.role: Input should be 'user' or 'assistant'`);
    const content =
      typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : (message.content ?? []);
    demand(content.length > 0, `messages.${i}: all messages must have non-empty content`);
    for (const [j, block] of content.entries()) checkBlock(block, role, `messages.${i}.content.${j}`);
    const last = turns.at(-1);
    if (last && last.role === role) last.content.push(...content);
    else turns.push({ role, content: [...content] });
  }
  demand(turns[0]?.role === 'user', 'messages: first message must use the "user" role');
  demand(turns.at(-1)?.role === 'user', 'This model does not support assistant message prefill.');
  const loop = turns.findLastIndex((turn) => turn.role === 'user' && !turn.content.every(isResult));
  for (const [i, { role, content }] of turns.entries()) {
    if (role === 'user') checkResults(content, turns[i - 1]?.content ?? [], i);
  }
  for (const [i, { role, content }] of turns.entries()) {
    if (role === 'assistant') checkThinking(content, past, i, i > loop);
  }
}

function isResult(block: Json): boolean {
  return block.type === 'tool_result';
}

function checkBlock(block: Json, role: string, at: string): void {
  const known = BLOCKS[block.type];
  demand(known, `${at}: Input tag '${block.type}' found using 'type' does not match any of the expected tags`);
  demand(known.role === 'any' || known.role === role, `${at}: \`${block.type}\` blocks can only be in other messages`);
  onlyKeys(block, known.keys, (key) => `${at}.${block.type}.${key}: Extra inputs are not permitted`);
  if (block.type === 'text') {
    demand(typeof block.text === 'string' && block.text !== '', `${at}: text content blocks must be non-empty`);
    demand(block.text.trim() !== '', `${at}: text content blocks must contain non-whitespace text`);
  }
  if (block.type === 'tool_use') {
    demand(/^[a-zA-Z0-9_-]+$/.test(block.id), `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    demand(block.input?.constructor === Object, `${at}.tool_use.input: Input should be a valid dictionary`);
  }
}

function checkResults(content: Json[], before: Json[], i: number): void {
  const uses = before.filter((block) => block.type === 'tool_use').map((block) => block.id);
  demand(new Set(uses).size === uses.length, `messages.${i - 1}: \`tool_use\` ids must be unique`);
  const results = content.filter(isResult).map((block) => block.tool_use_id);
  const missing = uses.find((id) => !results.includes(id));
  demand(
    missing === undefined,
    `messages.${i - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing}`,
  );
  const strange = results.find((id, n) => !uses.includes(id) || results.indexOf(id) !== n);
  demand(
    strange === undefined,
    `messages.${i}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${strange}`,
  );
  const first = content.findIndex((block) => !isResult(block));
  const late = first !== -1 && content.slice(first).some(isResult);
  demand(!late, `messages.${i}: \`tool_result\` blocks must come first`);
}

function checkThinking(content: Json[], past: Past, i: number, inLoop: boolean): void {
  const thinking = content.filter((block) => /thinking/.test(block.type));
  for (const block of thinking) {
    const issued = past.turns.some((turn) => turn.form.some((own: Json) => isDeepStrictEqual(own, block)));
    demand(
      issued,
      `messages.${i}.content: Invalid \`${block.signature ? 'signature' : 'data'}\` in \`${block.type}\` block`,
    );
  }
  demand(thinking.length < content.length, `messages.${i}: The final block in an assistant message cannot be thinking`);
  const call = content.find((block) => block.type === 'tool_use');
  const own = call && past.ofCall(call.input)?.turn;
  if (!own || (!inLoop && thinking.length === 0)) return;
  demand(
    own.plan.reasoning === '' || /thinking/.test(content[0].type),
    `messages.${i}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${content[0].type}\``,
  );
  demand(
    isDeepStrictEqual(content, own.form),
    `messages.${i}.content: \`thinking\` or \`redacted_thinking\` blocks in the latest assistant message cannot be ` +
      `modified; is ${content.map((b) => b.type)}, was ${own.form.map((b: Json) => b.type)}`,
  );
}
