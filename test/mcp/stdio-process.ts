// A server of tools written against the protocol by hand, so that it can do what no library would. Its first argument
// says how it behaves. Everything that it hears is kept in the file that its second argument names, if there is one.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Message {
  id?: number | string;
  method?: string;
  params?: { name?: string; cursor?: string; arguments?: Record<string, unknown>; _meta?: { progressToken?: number } };
}

const [, , behaviour = 'plain', file] = process.argv;

function say(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message }).replace('"deep"', DEEP)}\n`);
}

function answer({ id }: Message, result: object): void {
  say({ id, result });
}

function text(value: string): object {
  return { content: [{ type: 'text', text: value }] };
}

const ECHO = {
  name: 'echo',
  description: 'Says it again.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};
let isChanged = false;

function list(message: Message): object {
  const cursor = message.params?.cursor;
  const tool = (name: string, more: object = {}): object => ({ ...ECHO, name, ...more });
  switch (behaviour) {
    case 'many':
      return { tools: Array.from({ length: 10_000 }, (_, n) => tool(`tool-${n}`)) };
    case 'pages':
      if (cursor === undefined) return { tools: [tool('one')], nextCursor: 'a' };
      return cursor === 'a' ? { tools: [tool('two')], nextCursor: 'b' } : { tools: [tool('three')] };
    case 'circle':
      return { tools: [tool(`page-${cursor ?? 'first'}`)], nextCursor: cursor === 'a' ? 'b' : 'a' };
    case 'endless':
      return { tools: [tool(`page-${cursor ?? '0'}`)], nextCursor: `${Number(cursor ?? '0') + 1}` };
    case 'odd':
      return {
        tools: [
          ...['a b', 'a.b', 'a/b', '', '__proto__', 'ünï', `long-${'x'.repeat(100)}`, 'nul\0', 'y'.repeat(300)].map(
            (name) => tool(name),
          ),
          tool('twice', { description: 'the first' }),
          tool('twice', { description: 'the second' }),
          tool('hidden', { description: 'seen\u001b[31m\u202e and not' }),
          tool('wordy', { description: 'w'.repeat(100_000) }),
          tool('no-schema', { inputSchema: undefined }),
          tool('text-schema', { inputSchema: { type: 'string' } }),
          tool('array-schema', { inputSchema: [] }),
          tool('loop', {
            inputSchema: { type: 'object', properties: { a: { $ref: '#' } }, $defs: { b: { $ref: '#/$defs/b' } } },
          }),
          tool('elsewhere', { inputSchema: { type: 'object', properties: { a: { $ref: 'https://a.example/s' } } } }),
          tool('enum', { inputSchema: { type: 'object', properties: { a: { enum: Array(100_000).fill('x') } } } }),
          tool('very-deep', { inputSchema: 'deep' }),
          tool('regex', { inputSchema: { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } } }),
          tool('read', { annotations: { readOnlyHint: true } }),
          tool('again', { annotations: { idempotentHint: true, destructiveHint: false } }),
          tool('destroys', { annotations: { destructiveHint: true, idempotentHint: true } }),
          tool('lies', { annotations: 'none' }),
          'not a tool',
          { name: 7 },
        ],
      };
    case 'changing':
      return { tools: isChanged ? [tool('new')] : [tool('old')] };
    default:
      return { tools: [ECHO, tool('slow'), tool('progress'), tool('fails'), tool('parts'), tool('environment')] };
  }
}

/** More levels than what writes JSON can take. */
const DEEP = `${'{"type":"object","properties":{"a":'.repeat(50_000)}{}${'}}'.repeat(50_000)}`;

const PARTS = [
  { type: 'text', text: 'one' },
  { type: 'image', data: Buffer.alloc(300).toString('base64'), mimeType: 'image/png' },
  { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
  { type: 'resource_link', uri: 'file:///a', name: 'a' },
  { type: 'resource', resource: { uri: 'file:///b', text: 'two' } },
  { type: 'resource', resource: { uri: 'file:///c', blob: 'AAAA' } },
  { type: 'hologram' },
  'nothing',
];

function resultOf(name: string, given: unknown): object {
  if (name === 'environment') return text(JSON.stringify(process.env));
  if (name === 'fails') return { ...text('it went wrong'), isError: true };
  if (name === 'parts') return { content: PARTS };
  if (given === 'structured') return { content: [], structuredContent: { a: 1 } };
  return text(`echo: ${given}`);
}

function call(message: Message): void {
  const { name = '', arguments: given = {}, _meta } = message.params ?? {};
  const token = _meta?.progressToken;
  switch (behaviour) {
    case 'never-answers':
      return;
    case 'answers-twice':
      answer(message, text('first'));
      answer(message, text('second'));
      return;
    case 'wrong-ids':
      say({ id: 4711, result: text('for somebody else') });
      say({ id: 'x', result: text('for somebody else') });
      say({ id: null, result: text('for nobody') });
      answer(message, text('for you'));
      return;
    case 'huge':
      process.stdout.write(`{"jsonrpc":"2.0","id":${message.id},"result":{"content":[{"type":"text","text":"`);
      for (let n = 0; n < 12; n++) process.stdout.write('x'.repeat(1024 ** 2));
      process.stdout.write('"}]}}\n');
      return;
    case 'invalid':
      process.stdout.write('this is no JSON\n{"jsonrpc":"1.0"}\n[]\n\n{"jsonrpc":"2.0","id":true}\n');
      answer(message, text('after all that'));
      return;
    case 'exits':
      process.stderr.write('out of order\n');
      process.exit(3);
      return;
    case 'floods':
      for (let n = 0; n < 20_000; n++) say({ method: 'notifications/message', params: { level: 'info', data: n } });
      answer(message, text('if you still listen'));
      return;
    case 'floods-stderr':
      for (let n = 0; n < 5000; n++) process.stderr.write(`line ${n} ${'x'.repeat(3000)}\n`);
      answer(message, text('done'));
      return;
    case 'calls-back':
      say({ id: 'c1', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } });
      say({ id: 'c2', method: 'roots/list' });
      say({ id: 'c3', method: 'elicitation/create', params: { message: 'your password?', requestedSchema: {} } });
      say({ id: 'c4', method: 'ping' });
      setTimeout(() => answer(message, text('asked')), 100);
      return;
    case 'not-a-result':
      say({ id: message.id, result: { content: 'text' } });
      return;
    case 'refuses':
      say({ id: message.id, error: { code: -32602, message: `no such thing as ${process.env.TOKEN}` } });
      return;
    default:
  }
  if (name === 'slow') return;
  if (name === 'progress') {
    let n = 0;
    const timer = setInterval(() => {
      n++;
      say({ method: 'notifications/progress', params: { progressToken: token, progress: n, message: `step ${n}` } });
      if (n < 20 || given.text === 'for ever') return;
      clearInterval(timer);
      answer(message, text('there'));
    }, 100);
    return;
  }
  answer(message, resultOf(name, given.text));
}

if (behaviour === 'exits-at-once') {
  process.stderr.write(`cannot start with ${process.env.TOKEN}\n`);
  process.exit(2);
}
// What both of these start goes on when they have gone, and does not care for SIGTERM; one of them neither.
const isChildless = behaviour !== 'stubborn' && behaviour !== 'careless';
if (!isChildless) {
  const child = 'process.on("SIGTERM",()=>{});setTimeout(()=>{},6e4)';
  spawn(process.execPath, ['-e', child, file ?? ''], { stdio: 'ignore' }).unref();
}
if (behaviour === 'stubborn') {
  process.on('SIGTERM', () => undefined);
  setTimeout(() => undefined, 60_000);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (file !== undefined && isChildless) appendFileSync(file, `${line}\n`);
  const message: Message = JSON.parse(line);
  switch (message.method) {
    case 'initialize':
      if (behaviour === 'silent') return;
      answer(message, {
        protocolVersion: behaviour === 'old-protocol' ? '1999-01-01' : '2025-06-18',
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: behaviour, version: '1' },
      });
      return;
    case 'tools/list':
      answer(message, list(message));
      if (behaviour === 'changing' && !isChanged) {
        isChanged = true;
        for (let n = 0; n < 100; n++) say({ method: 'notifications/tools/list_changed' });
      }
      return;
    case 'tools/call':
      call(message);
      return;
    case 'ping':
      if (behaviour !== 'never-answers') answer(message, {});
      return;
    default:
  }
});
