import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SUMMARY, startVendor, type Vendor } from '../compaction/rig.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { held, type Vendor as Scripted, startVendor as startScripted } from '../turns/rig.ts';
import { type Holder, makeHolder } from './budget-holder.ts';

// A caller with an API key that has a budget: completions, turns, summaries and titles.

let vendor: Vendor;
let scripted: Scripted;
let server: TestServer;
beforeAll(async () => {
  vendor = await startVendor({
    'gpt-4o': { listed: 2000, window: 2000 },
    unlisted: { window: 2000 },
    large: { listed: 1_000_000, window: 1_000_000 },
  });
  scripted = await startScripted();
  server = await startTestServer({
    ...vendor.environment,
    ...scripted.environment,
    PROFCLAW_TITLE_MODEL: 'openai/large',
  });
  await server.call('/api/chat/providers/openai/models?refresh=true');
});
afterEach(() => vendor.reset());
afterAll(async () => {
  await server.stop();
  await vendor.stop();
  await scripted.stop();
});

const MUCH = { tokens: 1_000_000, period: 'total' };
/** So little that no two calls may be under way at once. */
const LITTLE = { tokens: 5000, period: 'total' };
const says = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });
const holder = (budget: object): Promise<Holder> => makeHolder(server.url, budget);
const memory = async (path: string): Promise<Json> => (await server.call(`/api/chat${path}/memory`)).body;
const kinds = () => vendor.calls.map(({ kind, isRefused }) => (isRefused ? 'refused' : kind));

/** What the vendor has counted of the calls that it answered. */
function counted(): number {
  const written = (kind: string) =>
    Math.ceil(JSON.stringify(kind === 'summary' ? SUMMARY : 'Answer to call 1').length / 4);
  return vendor.calls
    .filter(({ isRefused }) => !isRefused)
    .reduce((sum, { tokens, kind }) => sum + tokens + written(kind), 0);
}

/** A conversation that does not fit its model; gives its path. */
async function tooLong(model: string): Promise<string> {
  const { body } = await server.call('/api/chat/conversations/import', {
    conversation: { title: 'T', model: `openai/${model}` },
    messages: Array.from({ length: 20 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `${n} `.padEnd(600, 'x'),
    })),
  });
  return `/conversations/${body.conversation.id}`;
}

it('counts completions of each kind', async () => {
  const { post, budget } = await holder(MUCH);
  const model = 'openai/large';
  expect((await post('/completions', says('One', { model }))).status).toBe(200);
  expect((await post('/completions', says('Two', { model, stream: true }))).status).toBe(200);
  expect((await post('/quick', { prompt: 'Three', model })).status).toBe(200);
  expect((await post('/smart', says('Four', { model }))).status).toBe(200);
  expect(kinds()).toEqual(['chat', 'chat', 'chat', 'chat']);
  expect(await budget()).toEqual({ ...MUCH, usd: null, usedUsd: 0, usedTokens: counted(), resetsAt: null });
});

it.each([{ stream: false }, { stream: true }])('refuses what is too much before anything is sent: %j', async (how) => {
  const { post, budget } = await holder({ usd: 0.000_001, period: 'day' });
  expect((await post('/completions', says('One', { model: 'openai/gpt-4o' }))).status).toBe(200);
  const { status, body, headers } = await post('/completions', says('Two', { model: 'openai/gpt-4o', ...how }));
  expect([status, body.code]).toEqual([429, 'budget_exceeded']);
  const { resetsAt, usedUsd } = await budget();
  expect(body.error).toBe(
    `The budget of this API key is used up: $${usedUsd.toFixed(6).replace(/0$/, '')} of $0.000001 today. It begins anew at ${resetsAt}: wait until then, or make another key`,
  );
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(vendor.calls).toHaveLength(1);
});

it('a key without a budget, and this machine, are not counted', async () => {
  const { post, budget } = await makeHolder(server.url);
  expect((await post('/completions', says('One', { model: 'openai/large' }))).status).toBe(200);
  expect(await budget()).toBeNull();
});

describe('a turn', () => {
  it('counts with the title that is made of it', async () => {
    const { post, budget } = await holder(MUCH);
    const { body } = await post('/conversations', { model: 'openai/large' });
    expect((await post(`/conversations/${body.conversation.id}/messages`, { content: 'Hi' })).status).toBe(200);
    await expect.poll(() => vendor.calls.length).toBe(2);
    await expect.poll(async () => (await budget()).usedTokens).toBe(counted());
  });

  it('counts although its caller has left', async () => {
    const { post, budget } = await holder(MUCH);
    const model = scripted.model(held);
    const { body } = await post('/conversations', { model: model.name, title: 'T' });
    const leaving = new AbortController();
    const left = post(`/conversations/${body.conversation.id}/messages`, { content: 'Hi' }, leaving.signal);
    const call = await model.call(1);
    leaving.abort();
    await expect(left).rejects.toThrow('aborted');
    expect((await budget()).usedTokens).toBe(0);
    call.answer();
    await expect.poll(async () => (await budget()).usedTokens).toBe(10);
  });

  it.each([
    ['before it asks', 'gpt-4o', ['summary', 'chat']],
    ['when its model finds it too long', 'unlisted', ['refused', 'summary', 'chat']],
  ])('that needs a summary %s does not wait for itself', async (_, model, calls) => {
    const { post, budget } = await holder(LITTLE);
    const path = await tooLong(model);
    const { status, body } = await post(`${path}/messages`, { content: 'What now?' });
    expect([status, body.compaction?.summary]).toEqual([200, SUMMARY]);
    expect(kinds()).toEqual(calls);
    expect((await budget()).usedTokens).toBe(counted());
  });

  it('that may not have a summary leaves the history as it is, and can be tried again', async () => {
    const { post } = await holder({ tokens: 1, period: 'total' });
    expect((await post('/quick', { prompt: 'One', model: 'openai/large' })).status).toBe(200);
    const path = await tooLong('gpt-4o');
    const refused = await post(`${path}/messages`, { content: 'What now?' });
    expect([refused.status, refused.body.code]).toEqual([429, 'budget_exceeded']);
    expect(await memory(path)).toMatchObject({ compactions: [], coveredSeq: 0, liveMessages: 20 });
    expect(kinds()).toEqual(['chat']);
    const retry = await server.call(`/api/chat${path}/retry`, {});
    expect(retry.body.compaction).toMatchObject({ summary: SUMMARY });
  });

  it('summaries on demand count too', async () => {
    const { post, budget } = await holder(MUCH);
    expect((await post(`${await tooLong('gpt-4o')}/compact`, {})).status).toBe(200);
    expect(kinds()).toEqual(['summary']);
    expect((await budget()).usedTokens).toBe(counted());
  });
});

describe('an account', () => {
  it('counts what its keys and its people use, together', async () => {
    const locked = await startTestServer(vendor.environment);
    const json = { 'content-type': 'application/json' };
    const post = (path: string, body: object, headers: object) =>
      locked.call(path, undefined, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });
    const person = { email: 'anna@example.org', password: 'correct horse', name: 'Anna' };
    const signedUp = await post('/api/auth/signup', person, {});
    expect(signedUp.status).toBe(201);
    const cookie = signedUp.headers.get('set-cookie')!.split(';')[0]!;
    const scopes = ['chat'];
    const { body: made } = await post('/api/keys', { name: 'K', scopes, budget: MUCH }, { cookie });
    const user = `/api/users/${signedUp.body.user.id}`;
    const patch = { method: 'PATCH', headers: { ...json, cookie }, body: JSON.stringify({ budget: { tokens: 25 } }) };
    expect((await locked.call(user, undefined, patch)).status).toBe(200);
    const ask = async (headers: object) =>
      (await post('/api/chat/quick', { prompt: 'Hi', model: 'openai/large' }, headers)).status;
    const key = { authorization: `Bearer ${made.secret}` };
    const statuses: number[] = [];
    for (const headers of [key, { cookie }, key, { cookie }, key]) statuses.push(await ask(headers));
    // Ten tokens each.
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const { budget } = (await locked.call(user, undefined, { headers: { cookie } })).body.user;
    expect(budget).toMatchObject({ tokens: 25, usedTokens: 30 });
    const [{ budget: own }] = (await locked.call('/api/keys', undefined, { headers: { cookie } })).body.keys;
    expect(own).toMatchObject({ ...MUCH, usedTokens: 20 });
    await locked.stop();
  });
});
