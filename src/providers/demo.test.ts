import { describe, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import type { ChatRequest, Message, ProviderEvent, ToolCall } from './chat-model.ts';
import { demoModel } from './demo.ts';

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const said = (text: string): Message => ({ role: 'assistant', parts: [{ type: 'text', text }] });
const called = (...names: string[]): Message[] => [
  {
    role: 'assistant',
    parts: names.map((name) => ({ type: 'tool-call', call: { id: `call_${name}`, name, arguments: {} } })),
  },
  ...names.map((name): Message => ({ role: 'tool', toolCallId: `call_${name}`, toolName: name, text: `${name} done` })),
];
const TOOL = { name: 'any', description: undefined, parameters: { type: 'object' } };

interface Played {
  text: string;
  reasoning: string;
  calls: Pick<ToolCall, 'name' | 'arguments'>[];
  finish: string | undefined;
}

async function play(messages: Message[], over: Partial<ChatRequest> = {}): Promise<Played> {
  const request: ChatRequest = {
    model: 'demo',
    messages,
    tools: [TOOL],
    toolChoice: undefined,
    temperature: undefined,
    maxTokens: undefined,
    stream: false,
    ...over,
  };
  const { events } = await demoModel().chat(request, new AbortController().signal);
  const all: ProviderEvent[] = [];
  for await (const batch of events) all.push(...batch);
  return {
    text: all.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    reasoning: all.map((event) => (event.type === 'reasoning' ? event.text : '')).join(''),
    calls: all.flatMap((event) =>
      event.type === 'tool-call' ? [{ name: event.call.name, arguments: event.call.arguments }] : [],
    ),
    finish: all.flatMap((event) => (event.type === 'finish' ? [event.reason] : []))[0],
  };
}

const LOOP = `Please
/reason first
/say One moment
/tool a {"n": 1}
/tool b
/next
/reason second
/tool c
/next
/say All done`;

describe('a script of several steps', () => {
  it('is obeyed section by section, one for each message with tool calls', async () => {
    expect(await play([user(LOOP)])).toEqual({
      text: 'One moment',
      reasoning: 'first',
      calls: [
        { name: 'a', arguments: { n: 1 } },
        { name: 'b', arguments: {} },
      ],
      finish: 'tool-calls',
    });
    const second = [user(LOOP), ...called('a', 'b')];
    expect(await play(second)).toEqual({
      text: '',
      reasoning: 'second',
      calls: [{ name: 'c', arguments: {} }],
      finish: 'tool-calls',
    });
    expect(await play([...second, ...called('c')])).toMatchObject({ text: 'All done', calls: [], finish: 'stop' });
  });

  it('ends in the answer of the last tool', async () => {
    const past = [user('/tool a\n/next\n/tool b'), ...called('a'), ...called('b')];
    expect(await play(past)).toEqual({
      text: 'Demo model: the tool b answered: b done',
      reasoning: '',
      calls: [],
      finish: 'stop',
    });
    expect((await play([user('/tool a'), ...called('a')])).text).toBe('Demo model: the tool a answered: a done');
  });

  it('needs no other order', async () => {
    expect((await play([user('One\n/next\nTwo')])).text).toMatch(/You wrote: “One”/);
  });

  it('may begin with nothing, and has the rest of each section', async () => {
    const script = user('/next\n/say one two three\n/length 2\n/tool b');
    expect((await play([script])).text).toMatch(/^This is profclaw's built-in demo model.*You sent no text/);
    expect(await play([script, ...called('a')])).toMatchObject({ text: 'one two', finish: 'length' });
    await expect(play([user('/tool a\n/next\n/fail 503 Later'), ...called('a')])).rejects.toThrow(/Later/);
  });

  it('is understood as a whole at once', async () => {
    const attempt = play([user('/tool a\n/next\n/stream many')]);
    await expect(attempt).rejects.toThrow(AppError);
    await expect(attempt).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('is that of its own turn', async () => {
    const past = [user(LOOP), ...called('a', 'b'), ...called('c'), said('All done')];
    expect((await play([...past, user('Thanks')])).text).toMatch(/You wrote: “Thanks”/);
    expect((await play([...past, user('/tool d\n/next\n/say Again')])).calls).toEqual([{ name: 'd', arguments: {} }]);
    expect((await play([...past, user('/tool d\n/next\n/say Again'), ...called('d')])).text).toBe('Again');
  });

  it('a line that only begins like the order is text', async () => {
    expect((await play([user('/next/door\n/next time')])).text).toMatch(/You wrote: “\/next\/door\n\/next time”/);
  });
});

describe('what the user says in the middle', () => {
  it('does not change the script, and is named in the answer that closes it', async () => {
    const script = user('/tool a\n/next\n/tool b');
    expect((await play([script, user('Hurry')])).calls).toEqual([{ name: 'a', arguments: {} }]);
    const second = [script, ...called('a'), user('Be careful')];
    expect((await play(second)).calls).toEqual([{ name: 'b', arguments: {} }]);
    expect((await play([...second, ...called('b'), user(`Stop ${'x'.repeat(300)}`)])).text).toBe(
      `Demo model: the tool b answered: b done\nYou also said: “Be careful”, “Stop ${'x'.repeat(195)}…”.`,
    );
  });

  it('takes the place of the script if it has orders', async () => {
    const steered = [user('/tool a\n/next\n/tool b'), ...called('a'), user('Now\n/tool c\n/next\n/say Changed')];
    expect((await play(steered)).calls).toEqual([{ name: 'c', arguments: {} }]);
    expect((await play([...steered, ...called('c')])).text).toBe('Changed');
  });

  it('is answered if there is no script', async () => {
    expect((await play([user('Hi'), ...called('a')])).text).toBe('Demo model: the tool a answered: a done');
    expect((await play([user('Hi'), ...called('a'), user('And you?')])).text).toMatch(/You wrote: “And you\?”/);
  });
});

describe('without tools on offer', () => {
  const tools: ChatRequest['tools'] = [];

  it('the first step calls all the same', async () => {
    expect((await play([user('/tool a')], { tools })).calls).toEqual([{ name: 'a', arguments: {} }]);
  });

  it('later ones answer in plain text', async () => {
    const second = [user('/tool a\n/next\n/tool b'), ...called('a')];
    expect(await play(second, { tools })).toMatchObject({
      text: 'Demo model: the tool a answered: a done',
      calls: [],
      finish: 'stop',
    });
    expect(await play([user('/tool a\n/next\n/say Well\n/tool b'), ...called('a')], { tools })).toMatchObject({
      text: 'Well',
      calls: [],
      finish: 'stop',
    });
  });
});

it('an effort changes nothing, and is not warned of', async () => {
  const request = { tools: [], toolChoice: undefined, temperature: undefined, maxTokens: undefined, stream: false };
  const asked: ChatRequest = { model: 'demo', messages: [user('/say Hi')], effort: 'max', ...request };
  expect((await demoModel().chat(asked, new AbortController().signal)).warnings).toEqual([]);
  expect((await play([user('/say Hi')], { effort: 'max' })).text).toBe('Hi');
});
