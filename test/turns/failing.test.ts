import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Lines } from '../../src/conversations/lines.ts';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { begin, type Call, echo, eventsOf, held, type Model, startRig, type Talk, turnsOf } from './rig.ts';

// A turn that fails leaves its message, marked and with the error; it is answered when it is tried again.

let rig: Awaited<ReturnType<typeof startRig>>;
/** Waits for its provider a second only. */
let hasty: Awaited<ReturnType<typeof startRig>>;

beforeAll(async () => {
  [rig, hasty] = await Promise.all([
    startRig(),
    startRig({ PROFCLAW_FIRST_BYTE_TIMEOUT: '1', PROFCLAW_IDLE_TIMEOUT: '1' }),
  ]);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await rig.stop();
  await hasty.stop();
});

interface Failure {
  name: string;
  fail(call: Call): void;
  status: number;
  code: string;
  words: RegExp;
}

/** Before anything of the answer has come. */
const EARLY: Failure[] = [
  {
    name: 'a 500',
    fail: (call) => call.fail(500, 'It broke'),
    status: 502,
    code: 'provider_unavailable',
    words: /It broke/,
  },
  { name: 'a 401', fail: (call) => call.fail(401, 'Bad key'), status: 502, code: 'provider_auth', words: /Bad key/ },
  {
    name: 'a 429',
    fail: (call) => call.fail(429, 'Slow down', { 'retry-after': '60' }),
    status: 429,
    code: 'provider_rate_limited',
    words: /Slow down/,
  },
  {
    name: 'a 400',
    fail: (call) => call.fail(400, 'Bad field'),
    status: 400,
    code: 'provider_rejected',
    words: /Bad field/,
  },
  { name: 'silence', fail: held, status: 504, code: 'provider_timeout', words: /1 s/ },
  { name: 'nonsense', fail: (call) => call.bytes('<html>'), status: 502, code: 'provider_protocol', words: /./ },
];

/** In the middle of a stream. */
const LATE: Failure[] = [
  { name: 'a cut', fail: ({ cut }) => cut(), status: 200, code: 'provider_unavailable', words: /./ },
  { name: 'silence', fail: () => {}, status: 200, code: 'provider_timeout', words: /1 s/ },
];

/** The message is marked, and the conversation goes on without it. */
async function expectFailed(talk: Talk, { code, words }: Failure, error: Json): Promise<void> {
  const [failed, ...rest] = await talk.messages();
  expect(rest).toEqual([]);
  expect(failed).toMatchObject({ content: 'first', status: 'failed', seq: 1, error: { code } });
  expect(failed.error.message).toMatch(words);
  expect(failed.error.message).toBe(error.error);
  expect(error.details.messageId).toBe(failed.id);
  const other = hasty.vendor.model();
  await talk.send('second', { model: other.name });
  expect(other.calls[0]!.said).toEqual(['user: second']);
  expect(await talk.lines()).toEqual(['failed user: first', 'complete user: second', 'complete assistant: re second']);
}

describe('what fails before the answer begins is an HTTP error, and the message is marked', () => {
  it.each(EARLY.flatMap((failure) => [false, true].map((stream) => ({ ...failure, stream }))))(
    '$name (stream: $stream)',
    async ({ stream, ...failure }) => {
      const talk = await begin(hasty.server, hasty.vendor.model(failure.fail));
      const answer = await talk.send('first', { stream });
      expectError(answer, failure.status, failure.code, failure.words);
      await expectFailed(talk, failure, answer.body);
    },
  );

  it('says when to come again if the provider did', async () => {
    const model = rig.vendor.model((call) => call.fail(429, 'Slow down', { 'retry-after': '60' }));
    const answer = await (await begin(rig.server, model)).send('first');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60']);
  });
});

describe('what fails in the middle', () => {
  it.each(LATE)('$name is the last event of a stream, and the message is marked', async (failure) => {
    const model = hasty.vendor.model(held);
    const talk = await begin(hasty.server, model);
    const events = eventsOf(hasty.server, `${talk.path}/messages`, { content: 'first', stream: true });
    const first = events.next();
    const call = await model.call(1);
    call.piece('Once upon ');
    expect((await first).value).toEqual({ content: 'Once upon ' });
    failure.fail(call);
    const { value: last } = await events.next();
    expect((await events.next()).done).toBe(true);
    expect(last).toMatchObject({ code: failure.code, done: true, partial: true });
    await expectFailed(talk, failure, last);
  });

  it('is an HTTP error to who asked for the whole answer', async () => {
    const model = rig.vendor.model((call) => call.cut());
    const talk = await begin(rig.server, model);
    const answer = await talk.send('first');
    expectError(answer, 502, 'provider_unavailable');
    expect(await talk.lines()).toEqual(['failed user: first']);
  });
});

/** A conversation whose last message has failed; its model is left to the test. */
async function failedTalk(more: object = {}): Promise<{ talk: Talk; model: Model; message: Json }> {
  const model = rig.vendor.model(held);
  const talk = await begin(rig.server, model);
  const sent = talk.send('first', more);
  (await model.call(1)).fail(401, 'Bad key');
  expect((await sent).status).toBe(502);
  const [message] = await talk.messages();
  model.calls.length = 0;
  return { talk, model, message };
}

describe('a retry', () => {
  it('answers the failed message, which keeps its id and place', async () => {
    const { talk, model, message } = await failedTalk();
    const retry = talk.retry();
    const call = await model.call(1);
    expect(call.said).toEqual(['user: first']);
    expect(await talk.messages()).toEqual([{ ...message, status: 'running', error: null }]);
    echo(call);
    const { status, body } = await retry;
    const answered = { ...message, status: 'complete', error: null };
    expect(status).toBe(200);
    expect(body).toMatchObject({ userMessage: answered, assistantMessage: { content: 're first', seq: 2 } });
    expect(await talk.messages()).toEqual([answered, body.assistantMessage]);
    expect((await rig.server.call(talk.path)).body.conversation.messageCount).toBe(2);
  });

  it('can be streamed', async () => {
    const { talk, model, message } = await failedTalk();
    const retry = rig.server.stream(`${talk.path}/retry`, { stream: true });
    const call = await model.call(1);
    expect(call.body.stream).toBe(true);
    echo(call);
    const { events } = await retry;
    expect(events[0]).toEqual({ content: 're first' });
    expect(events.at(-1)).toMatchObject({ done: true, userMessage: { id: message.id, status: 'complete' } });
  });

  it('asks as the message was sent first, whatever the conversation’s model is', async () => {
    const other = rig.vendor.model((call) => call.fail(401, 'no'));
    const { talk } = await failedTalk();
    await talk.send('second', { model: other.name, temperature: 0.3, maxTokens: 55 });
    await talk.retry();
    await talk.retry({ temperature: 0.9, maxTokens: 77 });
    await talk.retry();
    const asked = { model: other.name.slice('together/'.length), temperature: 0.3, max_tokens: 55 };
    expect(
      other.calls.map(({ body: { model, temperature, max_tokens } }) => ({ model, temperature, max_tokens })),
    ).toEqual([asked, asked, { ...asked, temperature: 0.9, max_tokens: 77 }, asked]);
  });

  it('can ask another model', async () => {
    const { talk, model } = await failedTalk({ temperature: 0.3 });
    const other = rig.vendor.model();
    const { body } = await talk.retry({ model: other.name });
    expect(body.assistantMessage.content).toBe('re first');
    expect(other.calls[0]!.body.temperature).toBe(0.3);
    expect(model.calls).toEqual([]);
  });

  it('that fails leaves the message failed, with the new error', async () => {
    const { talk, model, message } = await failedTalk();
    const retry = talk.retry();
    (await model.call(1)).fail(400, 'Bad field');
    const answer = await retry;
    expectError(answer, 400, 'provider_rejected', /Bad field/);
    expect(answer.body.details.messageId).toBe(message.id);
    const error = { code: 'provider_rejected', message: answer.body.error };
    expect(await talk.messages()).toEqual([{ ...message, error }]);
  });

  it('with a wrong model is refused, and the message can be tried again', async () => {
    const { talk, model, message } = await failedTalk();
    expectError(await talk.retry({ model: 'no-such-model' }), 404, 'model_not_found');
    expect(await talk.messages()).toMatchObject([{ id: message.id, status: 'failed' }]);
    const retry = talk.retry();
    echo(await model.call(1));
    expect((await retry).status).toBe(200);
  });

  it('tries only the last message, if several have failed', async () => {
    const { talk, model } = await failedTalk();
    const second = talk.send('second');
    (await model.call(1)).fail(401, 'no');
    await second;
    const retry = talk.retry();
    const call = await model.call(2);
    expect(call.said).toEqual(['user: second']);
    echo(call);
    await retry;
    expect(await talk.lines()).toEqual([
      'failed user: first',
      'complete user: second',
      'complete assistant: re second',
    ]);
    expectError(await talk.retry(), 409, 'conflict', /has its answer/);
  });

  it('answers a question whose answer was deleted, and counts it once', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const tokens = async () => (await rig.server.call(`${talk.path}/memory`)).body.tokens;
    const sent = talk.send('first');
    echo(await model.call(1));
    await sent;
    const counted = await tokens();
    const [question, answer] = await talk.messages();
    await rig.server.call(`${talk.path}/messages/${answer.id}`, undefined, { method: 'DELETE' });
    const failing = talk.retry();
    (await model.call(2)).fail(401, 'no');
    expect((await failing).body.details.messageId).toBe(question.id);
    expect(await talk.lines()).toEqual(['failed user: first']);
    expect(await tokens()).toBe(0);
    const retry = talk.retry();
    const call = await model.call(3);
    expect(call.said).toEqual(['user: first']);
    echo(call);
    expect((await retry).body.userMessage).toMatchObject({ id: question.id, seq: question.seq, status: 'complete' });
    expect(await talk.lines()).toEqual(turnsOf(['first'], 'complete '));
    expect(await tokens()).toBe(counted);
  });

  it('is asked as the first try was: tools, prompts and fallbacks too', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const tools = [{ name: 'weather', parameters: { type: 'object' } }];
    const messages = [
      { role: 'system', content: 'Of this request.' },
      { role: 'user', content: 'first' },
    ];
    const more = { tools, toolChoice: 'weather', systemPrompt: 'You are a pirate.', temperature: 0.5 };
    const sent = talk.complete(messages, more);
    const first = await model.call(1);
    first.fail(401, 'no');
    await sent;
    const retry = talk.retry();
    const second = await model.call(2);
    echo(second);
    await retry;
    expect(second.body).toEqual(first.body);
    expect(JSON.stringify(second.body)).toMatch(/pirate.*Of this request.*weather/);
  });

  it('with a model that there is not changes nothing', async () => {
    const { talk, message } = await failedTalk();
    expectError(await talk.retry({ model: 'no such model' }), 404, 'model_not_found');
    expect(await talk.messages()).toEqual([message]);
  });

  it('tries all messages that were sent together', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const given = [
      { role: 'user', content: 'What is it?' },
      { role: 'assistant', content: 'A stone.' },
      { role: 'user', content: 'How old?' },
    ];
    const sent = talk.complete(given);
    (await model.call(1)).fail(401, 'no');
    const { body } = await sent;
    const stored = await talk.messages();
    expect(stored.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    expect(body.details.messageId).toBe(stored[2].id);
    const retry = talk.retry();
    const call = await model.call(2);
    expect(call.said).toEqual(['user: What is it?', 'assistant: A stone.', 'user: How old?']);
    echo(call);
    expect((await retry).body.userMessage.content).toBe('How old?');
    expect((await talk.messages()).map(({ id, status }) => [id, status]).slice(0, 3)).toEqual(
      stored.map(({ id }) => [id, 'complete']),
    );
  });

  it.each([
    ['of a conversation without messages', () => {}],
    ['of a message that was answered', (talk: Talk) => talk.send('Hi')],
  ])('%s is a conflict', async (_, before) => {
    const talk = await begin(rig.server, rig.vendor.model());
    await before(talk);
    expectError(await talk.retry(), 409, 'conflict', /nothing to try again/);
  });

  it('twice at once answers once', async () => {
    const { talk, model } = await failedTalk();
    const enter = vi.spyOn(Lines.prototype, 'enter');
    const first = talk.retry();
    const call = await model.call(1);
    const second = talk.retry();
    await expect.poll(() => enter.mock.calls.length).toBe(2);
    echo(call);
    expect((await first).status).toBe(200);
    expectError(await second, 409, 'conflict', /nothing to try again/);
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(['complete user: first', 'complete assistant: re first']);
  });

  it('of a conversation that is not there is a 404', async () => {
    expectError(await rig.server.call('/api/chat/conversations/conv_none/retry', {}), 404, 'not_found');
  });
});

describe('what is wrong with the request itself stores nothing', () => {
  it.each([
    ['an unknown model', { model: 'no-such-model' }, 404, 'model_not_found'],
    ['a provider without a key', { model: 'groq/some-model' }, 503, 'provider_not_configured'],
    ['a wrong temperature', { temperature: 3 }, 400, 'invalid_request'],
  ])('%s', async (_, more, status, code) => {
    const talk = await begin(rig.server, rig.vendor.model());
    expectError(await talk.send('first', more), status, code);
    expectError(await talk.send('first', { ...more, stream: true }), status, code);
    expectError(await talk.complete([{ role: 'user', content: 'first' }], more), status, code);
    await expectEmpty(talk);
  });

  it.each(['taskId', 'ticketId'])('an unknown %s', async (name) => {
    const talk = await begin(rig.server, rig.vendor.model());
    expectError(await talk.complete([{ role: 'user', content: 'Hi' }], { [name]: 'none' }), 404, 'not_found');
    await expectEmpty(talk);
  });

  it('an unknown fallback', async () => {
    const talk = await begin(rig.server, rig.vendor.model());
    const answer = await talk.complete([{ role: 'user', content: 'Hi' }], { fallbacks: ['no-such-model'] });
    expectError(answer, 404, 'model_not_found');
    await expectEmpty(talk);
  });

  it('a conversation whose provider is not configured any more', async () => {
    await rig.server.call('/api/chat/providers/groq/configure', { apiKey: 'k' });
    const talk = await begin(rig.server, 'groq/some-model');
    await rig.server.call('/api/chat/providers/groq', undefined, { method: 'DELETE' });
    expectError(await talk.send('first'), 503, 'provider_not_configured');
    await expectEmpty(talk);
    const model = rig.vendor.model();
    expect((await talk.send('first', { model: model.name })).status).toBe(200);
  });

  async function expectEmpty(talk: Talk): Promise<void> {
    const { conversation, messages } = (await rig.server.call(talk.path)).body;
    expect([conversation.messageCount, conversation.title, messages]).toEqual([0, '', []]);
  }
});
