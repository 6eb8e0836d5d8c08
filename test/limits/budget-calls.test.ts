import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finishCompletion, startCompletion } from '../../src/chat/complete.ts';
import { mostInput } from '../../src/chat/request-tokens.ts';
import type { AppError } from '../../src/errors.ts';
import type { FilePart, Message, UserPart } from '../../src/providers/chat-model.ts';
import { openAiAnswer, startUpstream, type Upstream } from '../contract/upstream.ts';
import { held, startVendor, type Vendor } from '../turns/rig.ts';
import { type Caller, NEVER, OWNER, openStore, type Store, says, startCaller } from './budget-rig.ts';

// What a call reserves, and what it counts in the end, whichever way it ends.

let store: Store;
let caller: Caller;
let vendor: Vendor;
let upstream: Upstream;
beforeAll(async () => {
  [vendor, upstream] = await Promise.all([startVendor(), startUpstream()]);
  store = await openStore({ file: ':memory:' });
  const environment = upstream.environment('openai', 'anthropic', 'ollama');
  const providers = {
    'custom:keyless': { baseUrl: `${upstream.url}/keyless` },
    'custom:keyed': { baseUrl: `${upstream.url}/keyed`, headers: { 'x-token': 'secret' } },
  };
  caller = await startCaller(store, {
    ...environment,
    ...vendor.environment,
    PROFCLAW_PROVIDERS: JSON.stringify(providers),
  });
});
afterAll(async () => {
  await caller.stop();
  await store.close();
  await vendor.stop();
  await upstream.stop();
});
beforeEach(() => upstream.reset());

const MUCH = { tokens: 10_000_000, usd: 1000, period: 'total' } as const;
const TOKENS = { tokens: 10_000_000, period: 'total' } as const;

/** Starts a call against a budget. */
const start = (subjects: string[], model: string, more: object = {}, signal = NEVER) => {
  const context = { db: store.db, providers: caller.providers, owner: OWNER };
  const budget = caller.budgets.of(OWNER, subjects);
  return startCompletion({ ...context, budget }, { ...says('Hello there'), model, ...more }, signal);
};
const refusal = async (call: Promise<unknown>): Promise<AppError> =>
  await call.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: AppError) => error,
  );
const used = async (subject: string) => {
  const { reserved, held: sums } = await store.counters(subject);
  expect(reserved).toEqual(sums);
  const { usedTokens, usedUsd } = (await store.view(subject))!;
  return { usedTokens, usedUsd, reserved: reserved[0], holds: reserved[2] };
};
const NOTHING = { usedTokens: 0, usedUsd: 0, reserved: 0, holds: 0 };

/** What we estimate of `Hello there`: the message and its text. */
const INPUT = 4 + 4;

describe('reserves', () => {
  const reserved = async (subject: string) => {
    const row = await store.db
      .selectFrom('budgets')
      .select(['reserved_tokens', 'reserved_cost'])
      .where('subject', '=', subject)
      .executeTakeFirstOrThrow();
    return [row.reserved_tokens, row.reserved_cost];
  };
  /** Starts a call that is not answered, and gives what it has reserved. */
  const whileAsked = async (input: object): Promise<number[]> => {
    const key = await store.subject(TOKENS);
    const model = vendor.model(held);
    const call = start([key], model.name, input);
    await model.call(1);
    const now = await reserved(key);
    model.calls[0]!.answer();
    await finishCompletion(await call);
    return now;
  };
  const INPUT_BYTES = 100 + 16 + 'Hello there'.length;

  it('the bytes of its input and the most that it may write', async () => {
    expect(await whileAsked({ maxTokens: 7 })).toEqual([INPUT_BYTES + 7, 0]);
    expect(await whileAsked({})).toEqual([INPUT_BYTES + 8192, 0]);
  });

  it('a great deal for pictures and documents, and all of tools, calls and reasoning', () => {
    const user = (part: UserPart) => mostInput({ messages: [{ role: 'user', parts: [part] }], tools: [] });
    const inline = (mediaType: string, data: string): FilePart => ({ type: 'file', media: { mediaType, data } });
    expect(user({ type: 'image', media: { url: 'https://example.org/a.png' } })).toBe(116 + 50_000);
    expect(user({ ...inline('text/plain', 'A'.repeat(400)), filename: 'a' })).toBe(116 + 301);
    expect(user(inline('application/pdf', 'AAAA'))).toBe(116 + 500_000);
    const call = { id: 'call_1', name: 'look', arguments: {} };
    const data = { signature: 's' };
    const messages: Message[] = [
      { role: 'system', text: 'äöü' },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm', data },
          { type: 'tool-call', call },
        ],
      },
      { role: 'tool', toolCallId: 'call_1', toolName: 'look', text: 'seen' },
    ];
    const tools = [{ name: 'look', description: undefined, parameters: { type: 'object' } }];
    const json = [data, call, tools].reduce((sum, value) => sum + JSON.stringify(value).length, 0);
    expect(mostInput({ messages, tools })).toBe(100 + 3 * 16 + 6 + 2 + 4 + 4 + 1000 + json);
  });

  it('what the wire asks for where it has to ask for something', async () => {
    const key = await store.subject({ tokens: 32_000, period: 'total' });
    upstream.replies.push({ pieces: ['event: x\n\n'], stall: true });
    const leaving = new AbortController();
    const call = start([key], 'anthropic/claude-sonnet-4-5', { stream: true }, leaving.signal).catch(() => {});
    await expect.poll(() => upstream.sent.length).toBe(1);
    expect(upstream.sent[0]?.body.max_tokens).toBe(32_000);
    // Of claude-sonnet-4-5 a million tokens cost 3 dollars to read, 3.75 to keep for the next call, 15 to write.
    expect(await reserved(key)).toEqual([INPUT_BYTES + 32_000, INPUT_BYTES * 3750 + 32_000 * 15_000]);
    leaving.abort();
    await call;
  });

  it('what the provider’s own list says that its model may write', async () => {
    const key = await store.subject(TOKENS);
    upstream.lists.set('openai', ['listed']);
    await caller.providers.live.models('openai', true);
    const [model] = caller.providers.live.knownModels('openai');
    model!.maxOutput = 77;
    upstream.replies.push({ pieces: ['data: {}\n\n'], stall: true });
    const gone = new AbortController();
    const call = start([key], 'openai/listed', { stream: true }, gone.signal).catch(() => {});
    await expect.poll(() => upstream.sent.length).toBe(1);
    expect(await reserved(key)).toEqual([INPUT_BYTES + 77, 0]);
    gone.abort();
    await call;
  });
});

describe('counts', () => {
  it('what the provider has counted, and what that cost', async () => {
    const key = await store.subject(MUCH);
    expect(await caller.ask([key], { model: 'openai/gpt-4o' })).toBe('ok');
    expect(await used(key)).toEqual({ usedTokens: 10, usedUsd: 0.000_047_5, reserved: 0, holds: 0 });
    expect(await caller.ask([key], { model: 'openai/gpt-4o', stream: true })).toBe('ok');
    expect(await used(key)).toEqual({ usedTokens: 20, usedUsd: 0.000_095, reserved: 0, holds: 0 });
  });

  it('what Anthropic’s came from or went to a cache, which it counts by itself', async () => {
    const key = await store.subject(TOKENS);
    const usage = {
      input_tokens: 7,
      output_tokens: 3,
      cache_read_input_tokens: 1000,
      cache_creation_input_tokens: 100,
    };
    const answer = { content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage };
    upstream.replies.push({ json: answer });
    expect(await caller.ask([key], { model: 'anthropic/claude-sonnet-4-5' })).toBe('ok');
    expect(await used(key)).toMatchObject({ usedTokens: 1110 });
  });

  it.each([
    ['gives no counts', {}],
    ['counts nothing', { usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } }],
  ])('by our own estimate where the provider %s', async (_, usage) => {
    const key = await store.subject(TOKENS);
    const { usage: _usage, ...answer } = openAiAnswer({ content: 'A hundred and twenty.' }) as { usage: object };
    upstream.replies.push({ json: { ...answer, ...usage } });
    expect(await caller.ask([key], { ...says('Hello there'), model: 'openai/gpt-4o' })).toBe('ok');
    expect(await used(key)).toMatchObject({ usedTokens: INPUT + 7, reserved: 0 });
  });

  it('what was sent and came of a stream that nobody reads to its end', async () => {
    const key = await store.subject(MUCH);
    const model = vendor.model((call) => call.piece('A hundred and twenty.'));
    const other = await store.subject(TOKENS);
    const started = await start([other], model.name, { stream: true });
    for await (const _ of started.events) break;
    expect(await used(other)).toEqual({ usedTokens: INPUT + 7, usedUsd: 0, reserved: 0, holds: 0 });
    await expect.poll(() => model.calls[0]!.isGone()).toBe(true);

    // Of gpt-4o a million tokens cost 2.50 dollars to read and 10 to write.
    upstream.replies.push({ pieces: ['data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'], stall: true });
    const { events } = await start([key], 'openai/gpt-4o', { stream: true });
    for await (const _ of events) break;
    expect(await used(key)).toMatchObject({ usedTokens: INPUT + 1, usedUsd: (INPUT * 2.5 + 10) / 1e6 });
  });

  it('that of a caller who has left, whether or not somebody goes on reading', async () => {
    const key = await store.subject(TOKENS);
    const model = vendor.model((call) => call.piece('A hundred and twenty.'));
    const unread = new AbortController();
    await start([key], model.name, { stream: true }, unread.signal);
    expect(await used(key)).toMatchObject({ usedTokens: 0, holds: 1 });
    unread.abort();
    await expect.poll(() => used(key)).toMatchObject({ usedTokens: INPUT, reserved: 0, holds: 0 });

    const read = new AbortController();
    const { events } = await start([key], model.name, { stream: true }, read.signal);
    for await (const _ of events) read.abort();
    expect(await used(key)).toMatchObject({ usedTokens: 2 * INPUT + 7, reserved: 0, holds: 0 });
  });

  it('the input of a call that was broken off before anything came', async () => {
    const key = await store.subject(TOKENS);
    const model = vendor.model(held);
    const leaving = new AbortController();
    const call = refusal(start([key], model.name, {}, leaving.signal));
    await model.call(1);
    leaving.abort();
    expect((await call).code).toBe('cancelled');
    expect(await used(key)).toMatchObject({ usedTokens: INPUT, reserved: 0, holds: 0 });
  });

  it('what was sent and came before the provider failed', async () => {
    const key = await store.subject(TOKENS);
    const model = vendor.model((call) => {
      call.piece('A hundred and twenty.');
      setTimeout(() => call.cut(), 50);
    });
    const failed = refusal(start([key], model.name, { stream: true }).then(finishCompletion));
    expect((await failed).code).toBe('provider_unavailable');
    expect(await used(key)).toMatchObject({ usedTokens: INPUT + 7, reserved: 0, holds: 0 });
  });

  it('at least what came, where the provider had counted less by then', async () => {
    const key = await store.subject(TOKENS);
    const pieces = [
      { type: 'message_start', message: { usage: { input_tokens: 50, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A hundred and twenty.' } },
    ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    upstream.replies.push({ pieces, stall: true });
    const { events } = await start([key], 'anthropic/claude-sonnet-4-5', { stream: true });
    for await (const batch of events) if (batch.some(({ type }) => type === 'text')) break;
    expect(await used(key)).toMatchObject({ usedTokens: 57, reserved: 0 });
  });

  it('nothing of a call that failed before anything came', async () => {
    const key = await store.subject(TOKENS);
    upstream.replies.push({ status: 401, json: { error: { message: 'No' } } });
    expect(await caller.ask([key], { model: 'openai/gpt-4o' })).toBe('provider_auth');
    expect(await caller.ask([key], { model: 'demo', ...says('/fail 503') })).toBe('provider_unavailable');
    const nothing = openAiAnswer({ content: '' }, 'error') as { usage?: object };
    delete nothing.usage;
    upstream.replies.push({ json: nothing });
    await caller.ask([key], { model: 'openai/gpt-4o' });
    expect(await used(key)).toEqual(NOTHING);
  });

  it('the call of whichever fallback answers, and no other', async () => {
    const key = await store.subject(MUCH);
    upstream.replies.push({ status: 401, json: { error: { message: 'No' } } });
    const input = { model: 'openai/gpt-4o-mini', fallbacks: ['openai/gpt-4o'] };
    expect(await caller.ask([key], input)).toBe('ok');
    expect(upstream.sent.map(({ body }) => body.model)).toEqual(['gpt-4o-mini', 'gpt-4o']);
    expect(await used(key)).toEqual({ usedTokens: 10, usedUsd: 0.000_047_5, reserved: 0, holds: 0 });
  });

  it('an answer although the database refuses to, and counts it when it does no longer', async () => {
    const key = await store.subject(TOKENS);
    const model = vendor.model(held);
    const asked = caller.ask([key], { model: model.name });
    const call = await model.call(1);
    const refuse = `create trigger refuse before delete on budget_holds begin select raise(abort, 'out of order'); end`;
    await sql.raw(refuse).execute(store.db);
    call.answer();
    expect(await asked).toBe('ok');
    expect(await used(key)).toMatchObject({ usedTokens: 0, holds: 1 });
    await sql.raw('drop trigger refuse').execute(store.db);
    await expect.poll(() => used(key)).toMatchObject({ usedTokens: 10, reserved: 0, holds: 0 });
  });
});

describe('prices', () => {
  const USD = { usd: 0.001, period: 'total' } as const;

  it('a model of unknown price is refused by a budget in dollars', async () => {
    const key = await store.subject(USD);
    const model = vendor.model();
    const error = await refusal(start([key], model.name));
    expect(error).toMatchObject({ code: 'budget_exceeded', retryAfter: undefined });
    expect(error.message).toBe(
      `The price of ${model.name} is not known, so the budget of this API key in US dollars cannot be kept with it; name another model, or have the budget set in tokens`,
    );
    expect(model.calls).toEqual([]);
    expect(await used(key)).toEqual(NOTHING);
  });

  it('unless a fallback has one', async () => {
    const key = await store.subject(USD);
    const model = vendor.model();
    const started = await start([key], model.name, { fallbacks: ['openai/gpt-4o'], maxTokens: 5 });
    const { attempts, model: answered } = await finishCompletion(started);
    expect(answered).toBe('gpt-4o');
    expect(attempts).toMatchObject([{ status: 'failed', code: 'budget_exceeded' }, { status: 'answered' }]);
  });

  it('counts by a budget in tokens', async () => {
    const key = await store.subject(TOKENS);
    expect(await caller.ask([key], { model: vendor.model().name })).toBe('ok');
    expect(await used(key)).toMatchObject({ usedTokens: 10, usedUsd: 0 });
  });

  it.each(['demo', 'ollama/llama3', 'custom:keyless/any'])(
    '%s costs nothing, also when the money is spent',
    async (model) => {
      const key = await store.subject(USD);
      expect(await caller.ask([key], { model })).toBe('ok');
      expect(await used(key)).toMatchObject({ usedUsd: 0, reserved: 0 });
      await store.set(key, { usd: 0, period: 'total' });
      expect(await caller.ask([key], { model: 'openai/gpt-4o' })).toBe('budget_exceeded');
      expect(await caller.ask([key], { model })).toBe('ok');
    },
  );

  it('a provider of one’s own with credentials may send a bill', async () => {
    const key = await store.subject(USD);
    expect(await caller.ask([key], { model: 'custom:keyed/any' })).toBe('budget_exceeded');
  });
});

describe('refuses', () => {
  it('with what is used of which budget, when it begins anew, and what to do', async () => {
    const key = await store.subject({ tokens: 1234, period: 'month' });
    const hold = await caller.budgets.reserve([key], OWNER, { model: 'm', tokens: 1, cost: 0 }, NEVER);
    await hold?.settle({ tokens: 5678, cost: 0 });
    const error = await refusal(start([key], 'demo'));
    const { resetsAt } = (await store.view(key))!;
    expect(error.code).toBe('budget_exceeded');
    expect(error.message).toBe(
      `The budget of this API key is used up: 5,678 of 1,234 tokens this month. It begins anew at ${resetsAt}: wait until then, or make another key`,
    );
    const seconds = (Date.parse(resetsAt!) - Date.now()) / 1000;
    expect(Math.abs((error.retryAfter ?? 0) - seconds)).toBeLessThan(60);
    const shown = { subject: key, period: 'month', tokens: 1234, usedTokens: 5678, usd: null, usedUsd: 0, resetsAt };
    expect(error.details).toEqual({ budget: shown });
  });

  it('an account’s in dollars, for good', async () => {
    const account = await store.subject({ usd: 5, tokens: 100, period: 'total' }, 'usr');
    const hold = await caller.budgets.reserve([account], OWNER, { model: 'm', tokens: 1, cost: 0 }, NEVER);
    await hold?.settle({ tokens: 7, cost: 5_123_456_000 });
    const error = await refusal(start([account], 'openai/gpt-4o'));
    expect(error.message).toBe(
      'The budget of this account is used up: 7 of 100 tokens and $5.123456 of $5.00 in all. It does not begin anew: have an admin raise it',
    );
    expect(error.retryAfter).toBeUndefined();
  });
});

describe('without a budget', () => {
  it('nothing is looked up and nothing counted', async () => {
    expect(caller.budgets.of(OWNER, [])).toBeUndefined();
    expect(await caller.ask([], { model: 'demo' })).toBe('ok');
    const key = await store.subject(TOKENS);
    await store.set(key, null);
    expect(await caller.ask([key], { model: vendor.model().name })).toBe('ok');
  });
});
