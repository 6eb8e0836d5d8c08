import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Turns } from '../../src/conversations/turns.ts';
import { expectError, method } from '../contract/helpers.ts';
import { keyed, newKey } from '../contract/keyed.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { begin, echo, held, startVendor, talk, tempHome, turnsOf, type Vendor } from './rig.ts';

// Servers on one database are one to their users: a conversation has one turn at a time, whichever server it is on.

const folder = tempHome();
let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  folder.remove();
});

interface Place {
  environment: Record<string, string>;
  home?: string;
}

/** Where both servers keep their state. */
const PLACES: [string, () => Promise<Place>][] = [
  ['one SQLite file', () => Promise.resolve({ environment: {}, home: folder.home })],
  [
    'one PostgreSQL database',
    async () => ({
      environment: { DATABASE_URL: await postgres.newDatabase(), PROFCLAW_SECRET_KEY: 'ab'.repeat(32) },
    }),
  ],
];

describe.each(PLACES)('two servers on %s', (_, place) => {
  let vendor: Vendor;
  let servers: TestServer[];
  let second: TestServer;
  let first: TestServer;
  let hasty: TestServer;

  beforeAll(async () => {
    vendor = await startVendor();
    const { environment, home } = await place();
    const start = (more: Record<string, string> = {}) =>
      startTestServer({ ...vendor.environment, ...environment, ...more }, home);
    [first, second, hasty] = await Promise.all([start(), start(), start({ PROFCLAW_TURN_WAIT: '1' })]);
    servers = [first, second];
  });
  afterAll(async () => {
    for (const server of [...servers, hasty]) await server.stop();
    await vendor.stop();
  });

  it('answer each of twenty messages at once, one after the other', async () => {
    const model = vendor.model();
    const { id } = await begin(first, model);
    const words = Array.from({ length: 20 }, (_, i) => `m${i}`);
    const answers = await Promise.all(words.map((word, i) => talk(servers[i % 2]!, id).send(word)));
    expect(answers.map(({ status, body }) => [status, body.assistantMessage?.content])).toEqual(
      words.map((word) => [200, `re ${word}`]),
    );
    const messages = await talk(second, id).messages();
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const order = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
    expect(order.toSorted()).toEqual(words.toSorted());
    expect(await talk(first, id).lines()).toEqual(turnsOf(order, 'complete '));
    expect(model.calls.map(({ said }) => said)).toEqual(
      order.map((word, i) => [...turnsOf(order.slice(0, i)), `user: ${word}`]),
    );
    expect((await first.call(talk(first, id).path)).body.conversation).toMatchObject({
      messageCount: 40,
      usage: { totalTokens: 200 },
    });
  });

  it('answer fifty conversations side by side', async () => {
    const model = vendor.model(held);
    const talks = await Promise.all(Array.from({ length: 50 }, (_, i) => begin(servers[i % 2]!, model)));
    const answers = Promise.all(talks.map(({ id }, i) => talk(servers[(i + 1) % 2]!, id).send(`m${i}`)));
    await model.call(50);
    for (const call of model.calls) echo(call);
    expect((await answers).map(({ body }) => body.assistantMessage.content)).toEqual(talks.map((_, i) => `re m${i}`));
  });

  it('wait for each other, but not for ever', async () => {
    const model = vendor.model(held);
    const here = await begin(first, model);
    const sent = here.send('first');
    await model.call(1);
    const late = await talk(hasty, here.id).send('late');
    expectError(late, 409, 'conflict', /still being answered/);
    expect(late.headers.get('retry-after')).toBe('5');
    expect(await here.lines()).toEqual(['running user: first']);
    const next = talk(second, here.id).send('second');
    echo(model.calls[0]!);
    expect((await sent).status).toBe(200);
    const call = await model.call(2);
    expect(call.said).toEqual([...turnsOf(['first']), 'user: second']);
    echo(call);
    expect((await next).status).toBe(200);
    expect(await here.lines()).toEqual(turnsOf(['first', 'second'], 'complete '));
  });

  it('a caller who leaves while waiting for the other server stores nothing', async () => {
    const model = vendor.model(held);
    const here = await begin(first, model);
    const sent = here.send('first');
    await model.call(1);
    const taking = vi.spyOn(Turns.prototype, 'endExpired');
    const caller = new AbortController();
    const left = talk(second, here.id).send('left', {}, { signal: caller.signal });
    // It has found the turn taken.
    await expect.poll(() => taking.mock.calls.length).toBeGreaterThan(0);
    const last = talk(second, here.id).send('last');
    caller.abort();
    await expect(left).rejects.toThrow();
    taking.mockRestore();
    echo(model.calls[0]!);
    await sent;
    echo(await model.call(2));
    expect((await last).status).toBe(200);
    expect(await here.lines()).toEqual(turnsOf(['first', 'last'], 'complete '));
  });

  it('a conversation deleted on one is not answered on the other', async () => {
    const model = vendor.model(held);
    const here = await begin(first, model);
    const sent = here.send('first');
    const call = await model.call(1);
    expect((await second.call(here.path, undefined, method('DELETE'))).status).toBe(200);
    expectError(await sent, 409, 'conflict');
    await expect.poll(() => call.isGone()).toBe(true);
    for (const server of servers) expectError(await server.call(here.path), 404, 'not_found');
  });

  it('one message of twenty requests with one key', async () => {
    const model = vendor.model();
    const { id, path } = await begin(first, model);
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        servers[i % 2]!.call(`${path}/messages`, undefined, keyed(key, { content: 'once' })),
      ),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([200, answers[0]?.body]);
    expect(model.calls).toHaveLength(1);
    expect(await talk(second, id).lines()).toEqual(turnsOf(['once'], 'complete '));
  });

  it('a message that failed on one is answered by a retry on the other', async () => {
    const model = vendor.model((call) => (model.calls.length === 1 ? call.fail(401, 'no') : echo(call)));
    const here = await begin(first, model);
    expect((await here.send('Hi')).status).toBe(502);
    expect((await talk(second, here.id).retry()).status).toBe(200);
    expect(await here.lines()).toEqual(turnsOf(['Hi'], 'complete '));
  });
});
