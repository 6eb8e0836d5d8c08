import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { begin, echo, held, type Model, startRig, type Talk, toolCall } from './rig.ts';

// POST /api/chat/completions with a conversationId: a turn with the caller's own tools.

let rig: Awaited<ReturnType<typeof startRig>>;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const TOOLS = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }];
const NO_RESULT = /was not carried out/;

const user = (content: string) => ({ role: 'user', content });
const result = (toolCallId: string, content: string) => ({ role: 'tool', toolCallId, content });
const calls = (...ids: string[]) => ({
  content: '',
  tool_calls: ids.map((id) => toolCall(id, 'weather', { city: id })),
});

/** A conversation whose model has made these calls; later ones are left to the test. */
async function calling(...ids: string[]): Promise<{ talk: Talk; model: Model; answer: Json }> {
  const model = rig.vendor.model(held);
  const talk = await begin(rig.server, model);
  const sent = talk.complete([user('Weather?')], { tools: TOOLS });
  (await model.call(1)).answer(calls(...ids));
  const { status, body } = await sent;
  expect(status).toBe(200);
  model.calls.length = 0;
  return { talk, model, answer: body };
}

/** The calls of the stored messages: `id status result`. */
async function stored(talk: Talk): Promise<string[]> {
  const messages = await talk.messages();
  return messages.flatMap(({ toolCalls }) => toolCalls.map((call: Json) => `${call.id} ${call.status} ${call.result}`));
}

describe('a completion in a conversation', () => {
  it('has the history before its messages, and says where it is kept', async () => {
    const model = rig.vendor.model();
    const talk = await begin(rig.server, model);
    const first = await talk.complete([user('One')]);
    expect(first.body).toMatchObject({ conversationId: talk.id, message: { content: 're One' }, finishReason: 'stop' });
    const given = [{ role: 'system', content: 'S' }, user('Two'), { role: 'assistant', content: 'a' }, user('Three')];
    const second = await talk.complete(given);
    expect(model.calls[1]!.said).toEqual([
      'user: One',
      'assistant: re One',
      'user: Two',
      'assistant: a',
      'user: Three',
    ]);
    const messages = await talk.messages();
    expect([first, second].map(({ body }) => body.messageId)).toEqual([messages[1].id, messages[5].id]);
    expect(await talk.lines()).toEqual(
      ['user: One', 'assistant: re One', 'user: Two', 'assistant: a', 'user: Three', 'assistant: re Three'].map(
        (line) => `complete ${line}`,
      ),
    );
    expect(messages.map(({ provider }) => provider)).toEqual([null, 'together', null, null, null, 'together']);
    expect((await rig.server.call(talk.path)).body.conversation.messageCount).toBe(6);
  });

  it('is streamed, and the last event says where it is kept', async () => {
    const model = rig.vendor.model();
    const talk = await begin(rig.server, model);
    const body = { conversationId: talk.id, messages: [user('One')], stream: true };
    const { events } = await rig.server.stream('/api/chat/completions', body);
    expect(events[0]).toEqual({ content: 're One' });
    const [, answer] = await talk.messages();
    expect(events.at(-1)).toMatchObject({ done: true, conversationId: talk.id, messageId: answer.id });
  });

  it('that is not there is a 404', async () => {
    const body = { conversationId: 'conv_none', messages: [user('Hi')] };
    expectError(await rig.server.call('/api/chat/completions', body), 404, 'not_found', /conv_none/);
  });
});

describe('calls of the caller’s own tools', () => {
  it('are stored as pending, and the results answer them', async () => {
    const { talk, model, answer } = await calling('one', 'two');
    expect(answer).toMatchObject({
      finishReason: 'tool-calls',
      message: { toolCalls: [{ id: 'one', name: 'weather', arguments: { city: 'one' } }, { id: 'two' }] },
    });
    expect((await talk.messages())[1].toolCalls).toEqual([
      { id: 'one', name: 'weather', arguments: { city: 'one' }, result: null, status: 'pending', duration: null },
      { id: 'two', name: 'weather', arguments: { city: 'two' }, result: null, status: 'pending', duration: null },
    ]);
    const sent = talk.complete([result('two', '18 °C'), result('one', '{"t": 4}')], { tools: TOOLS });
    const call = await model.call(1);
    expect(call.said).toEqual(['user: Weather?', 'assistant: call one, call two', 'tool: {"t": 4}', 'tool: 18 °C']);
    expect(await stored(talk)).toEqual(['one success {"t": 4}', 'two success 18 °C']);
    call.answer('Cold and mild');
    expect((await sent).body.message.content).toBe('Cold and mild');
    expect((await talk.messages()).map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: Weather?',
      'assistant: ',
      'assistant: Cold and mild',
    ]);
  });

  it('come and are answered in streams too', async () => {
    const model = rig.vendor.model((call) => call.answer(model.calls.length === 1 ? calls('one') : 'Cold'));
    const talk = await begin(rig.server, model);
    const stream = async (messages: object[]) => {
      const body = { conversationId: talk.id, messages, tools: TOOLS, stream: true };
      return (await rig.server.stream('/api/chat/completions', body)).events;
    };
    expect(await stream([user('Weather?')])).toMatchObject([
      { toolCall: { id: 'one', arguments: { city: 'one' } } },
      { done: true, finishReason: 'tool-calls' },
    ]);
    expect(await stream([result('one', '4 °C')])).toMatchObject([{ content: 'Cold' }, { done: true }]);
    expect(await stored(talk)).toEqual(['one success 4 °C']);
  });

  it('may be answered a part at a time; what is missing gets a stand-in', async () => {
    const { talk, model } = await calling('one', 'two');
    const first = talk.complete([result('one', '4 °C')], { tools: TOOLS });
    const call = await model.call(1);
    expect(call.said.slice(2)).toEqual(['tool: 4 °C', expect.stringMatching(NO_RESULT)]);
    expect(await stored(talk)).toEqual(['one success 4 °C', 'two pending null']);
    call.fail(401, 'no');
    await first;
    const second = talk.complete([result('two', '18 °C')], { tools: TOOLS });
    const next = await model.call(2);
    expect(next.said.slice(2)).toEqual(['tool: 4 °C', 'tool: 18 °C']);
    echo(next);
    expect((await second).status).toBe(200);
    expect(await stored(talk)).toEqual(['one success 4 °C', 'two success 18 °C']);
  });

  it('that are pending when the user goes on get a stand-in, and stay pending', async () => {
    const { talk, model } = await calling('one');
    const sent = talk.send('Never mind');
    const call = await model.call(1);
    expect(call.said).toEqual([
      'user: Weather?',
      'assistant: call one',
      expect.stringMatching(NO_RESULT),
      'user: Never mind',
    ]);
    echo(call);
    expect((await sent).status).toBe(200);
    expect(await stored(talk)).toEqual(['one pending null']);
  });

  it('may be answered together with what the user says next', async () => {
    const { talk, model } = await calling('one');
    const sent = talk.complete([result('one', '4 °C'), user('And tomorrow?')], { tools: TOOLS });
    const call = await model.call(1);
    expect(call.said.slice(1)).toEqual(['assistant: call one', 'tool: 4 °C', 'user: And tomorrow?']);
    echo(call);
    expect((await sent).status).toBe(200);
    expect(await talk.lines()).toEqual([
      ...['complete user: Weather?', 'complete assistant: '],
      ...['complete user: And tomorrow?', 'complete assistant: re And tomorrow?'],
    ]);
  });

  it('a result of none of them is a 400 that says where, and stores nothing', async () => {
    const { talk, model } = await calling('one');
    const answer = await talk.complete([user('Hm'), result('one', '4 °C'), result('other', '?'), result('third', '?')]);
    expect(issuePaths(answer)).toEqual(['messages.2.toolCallId', 'messages.3.toolCallId']);
    expect(await stored(talk)).toEqual(['one pending null']);
    expect(await talk.messages()).toHaveLength(2);
    expect(model.calls).toEqual([]);
    const fresh = await begin(rig.server, model);
    expect(issuePaths(await fresh.complete([result('one', '4 °C')]))).toEqual(['messages.0.toolCallId']);
    expect(await fresh.messages()).toEqual([]);
    // The line is free again.
    const next = talk.complete([result('one', '4 °C')]);
    echo(await model.call(1));
    expect((await next).status).toBe(200);
  });

  it('a turn that only brought results and failed can be tried again', async () => {
    const { talk, model } = await calling('one');
    const sent = talk.complete([result('one', '4 °C')], { tools: TOOLS });
    (await model.call(1)).fail(401, 'no');
    expectError(await sent, 502, 'provider_auth');
    expect(await stored(talk)).toEqual(['one success 4 °C']);
    const retry = talk.retry();
    const call = await model.call(2);
    expect(call.said).toEqual(['user: Weather?', 'assistant: call one', 'tool: 4 °C']);
    call.answer('Cold');
    expect((await retry).body).toMatchObject({ userMessage: null, assistantMessage: { content: 'Cold', seq: 3 } });
    expectError(await talk.retry(), 409, 'conflict');
  });

  it('calls without results are nothing to be tried again', async () => {
    const { talk } = await calling('one');
    expectError(await talk.retry(), 409, 'conflict', /nothing to try again/);
  });

  it('a result may be sent again, and the last one counts', async () => {
    const { talk, model } = await calling('one');
    for (const [i, text] of ['4 °C', '5 °C'].entries()) {
      const sent = talk.complete([result('one', text)], { tools: TOOLS });
      const call = await model.call(i + 1);
      expect(call.said.at(-1)).toBe(`tool: ${text}`);
      call.fail(401, 'no');
      await sent;
      expect(await stored(talk)).toEqual([`one success ${text}`]);
    }
  });

  it('a result that the model has answered is not replaced', async () => {
    const { talk, model } = await calling('one');
    const sent = talk.complete([result('one', '4 °C')], { tools: TOOLS });
    (await model.call(1)).answer('Cold.');
    await sent;
    const before = await talk.messages();
    for (const messages of [[result('one', '99 °C')], [result('one', '4 °C'), user('And now?')]]) {
      expectError(await talk.complete(messages, { tools: TOOLS }), 409, 'conflict', /a result of "one" already/);
    }
    expect(await talk.messages()).toEqual(before);
    expect(model.calls).toHaveLength(1);
  });

  it('a result keeps every character', async () => {
    const { talk, model } = await calling('one');
    const odd = '\u0000 \ud800 "☃" \\ \n';
    const sent = talk.complete([result('one', odd)], { tools: TOOLS });
    const call = await model.call(1);
    call.answer('ok');
    await sent;
    expect((await talk.messages())[1].toolCalls[0].result).toBe(odd);
  });
});

describe('an assistant’s messages that the caller brings', () => {
  it('are kept with their calls and results', async () => {
    const model = rig.vendor.model();
    const talk = await begin(rig.server, model);
    const toolCalls = ['a', 'b'].map((id) => ({ id, name: 'weather', arguments: { city: id } }));
    const given = [
      user('Weather?'),
      { role: 'assistant', content: 'Let me see.', toolCalls },
      result('b', '18 °C'),
      result('a', '4 °C'),
      user('So?'),
    ];
    expect((await talk.complete(given, { tools: TOOLS })).status).toBe(200);
    const said = [
      ...['user: Weather?', 'assistant: Let me see., call a, call b', 'tool: 4 °C', 'tool: 18 °C', 'user: So?'],
    ];
    expect(model.calls[0]!.said).toEqual(said);
    expect(await stored(talk)).toEqual(['a success 4 °C', 'b success 18 °C']);
    await talk.send('Thanks');
    expect(model.calls[1]!.said).toEqual([...said, 'assistant: re So?', 'user: Thanks']);
  });

  it('may leave calls without results, which a later request brings', async () => {
    const model = rig.vendor.model();
    const talk = await begin(rig.server, model);
    const toolCalls = [{ id: 'a', name: 'weather', arguments: {} }];
    await talk.complete([user('Weather?'), { role: 'assistant', toolCalls }], { tools: TOOLS });
    expect(model.calls[0]!.said[2]).toMatch(NO_RESULT);
    expect(await stored(talk)).toEqual(['a pending null']);
    await talk.complete([result('a', '4 °C')], { tools: TOOLS });
    expect(model.calls[1]!.said.slice(1, 3)).toEqual([expect.stringMatching(/call a$/), 'tool: 4 °C']);
    expect(await stored(talk)).toEqual(['a success 4 °C']);
  });

  it('may come together with the result of a call that is stored', async () => {
    const { talk, model } = await calling('one');
    const toolCalls = [{ id: 'a', name: 'weather', arguments: {} }];
    const sent = talk.complete([result('one', '4 °C'), { role: 'assistant', toolCalls }, result('a', '18 °C')]);
    const call = await model.call(1);
    expect(call.said.slice(1)).toEqual([
      'assistant: call one',
      'tool: 4 °C',
      expect.stringMatching(/^assistant: .*call a$/),
      'tool: 18 °C',
    ]);
    echo(call);
    expect((await sent).status).toBe(200);
    expect(await stored(talk)).toEqual(['one success 4 °C', 'a success 18 °C']);
  });

  it('of a turn that failed have no calls that a result could answer', async () => {
    const model = rig.vendor.model((call) => call.fail(401, 'no'));
    const talk = await begin(rig.server, model);
    const toolCalls = [{ id: 'a', name: 'weather', arguments: {} }];
    expect((await talk.complete([user('Weather?'), { role: 'assistant', toolCalls }])).status).toBe(502);
    expect(issuePaths(await talk.complete([result('a', '4 °C')]))).toEqual(['messages.0.toolCallId']);
    expect(await stored(talk)).toEqual(['a pending null']);
    expect(model.calls).toHaveLength(1);
  });

  it('go with their results into a failed turn, and back out of it with a retry', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const toolCalls = [{ id: 'a', name: 'weather', arguments: {} }];
    const sent = talk.complete([user('Weather?'), { role: 'assistant', toolCalls }, result('a', '4 °C')]);
    const first = await model.call(1);
    first.fail(401, 'no');
    const { body } = await sent;
    expect(body.details.messageId).toBe((await talk.messages())[1].id);
    expect((await talk.messages()).map(({ status }) => status)).toEqual(['failed', 'failed']);
    const retry = talk.retry();
    const call = await model.call(2);
    expect(call.said).toEqual(first.said);
    expect(call.said.at(-1)).toBe('tool: 4 °C');
    call.answer('Cold');
    expect((await retry).body.userMessage.content).toBe('Weather?');
  });
});
