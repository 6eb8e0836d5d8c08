import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Turns } from '../../src/conversations/turns.ts';
import { expectError, method } from '../contract/helpers.ts';
import { startTestServer } from '../server.ts';
import { type Graveyard, openGraveyard } from './dead.ts';
import { begin, echo, held, type Model, startRig, type Talk, tempHome } from './rig.ts';

// A turn is a row with a lease: who dies loses it, and who has lost it writes nothing.

let rig: Awaited<ReturnType<typeof startRig>>;
let dead: Graveyard;

beforeAll(async () => {
  rig = await startRig();
  dead = await openGraveyard(rig.server);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await dead.close();
  await rig.stop();
});

const LONG = 600_000;

/** A conversation whose last message was being answered by a process that is gone, or silent. */
async function diedTalk(leaseMs: number): Promise<{ talk: Talk; model: Model }> {
  const model = rig.vendor.model(held);
  const talk = await begin(rig.server, model);
  const sent = talk.send('first');
  (await model.call(1)).fail(401, 'no');
  await sent;
  model.calls.length = 0;
  await dead.dieInTurn(talk, 1, leaseMs);
  return { talk, model };
}

const INTERRUPTED = { status: 'failed', error: { code: 'interrupted', message: expect.stringMatching(/tried again/) } };

describe('a turn of a process that is gone', () => {
  it('is taken over by the next message, and its own is marked', async () => {
    const { talk, model } = await diedTalk(-1);
    const next = talk.send('second');
    const call = await model.call(1);
    expect(call.said).toEqual(['user: second']);
    expect(await talk.messages()).toMatchObject([{ content: 'first', ...INTERRUPTED }, { status: 'running' }]);
    echo(call);
    expect((await next).status).toBe(200);
    expect(await talk.lines()).toEqual([
      'failed user: first',
      'complete user: second',
      'complete assistant: re second',
    ]);
    expect(await dead.turns(talk)).toBe(0);
  });

  it('is taken over by a retry, which answers its message', async () => {
    const { talk, model } = await diedTalk(-1);
    const [{ id }] = await talk.messages();
    const retry = talk.retry();
    const call = await model.call(1);
    expect(call.said).toEqual(['user: first']);
    echo(call);
    expect((await retry).body.userMessage).toMatchObject({ id, status: 'complete', error: null });
    expect(await talk.lines()).toEqual(['complete user: first', 'complete assistant: re first']);
  });

  it('is waited for as long as its lease holds', async () => {
    const { talk, model } = await diedTalk(LONG);
    const expired = vi.spyOn(Turns.prototype, 'endExpired');
    const next = talk.send('second');
    // Each time that the turn is not to be had.
    await expect.poll(() => expired.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(model.calls).toEqual([]);
    expect(await talk.lines()).toEqual(['running user: first']);
    await dead.takeTurn(talk);
    echo(await model.call(1));
    expect((await next).status).toBe(200);
  });

  it('is marked without anybody asking, at the start of another server too', async () => {
    const { home, remove } = tempHome();
    const first = await startTestServer(rig.vendor.environment, home);
    const graves = await openGraveyard(first);
    const model = rig.vendor.model((call) => call.fail(401, 'no'));
    const talk = await begin(first, model);
    await talk.send('first');
    await first.stop();
    await graves.dieInTurn(talk);
    const second = await startTestServer(rig.vendor.environment, home);
    await expect.poll(() => graves.turns(talk)).toBe(0);
    const { messages } = (await second.call(talk.path)).body;
    expect(messages).toMatchObject([{ content: 'first', ...INTERRUPTED }]);
    await graves.close();
    await second.stop();
    remove();
  });
});

describe('a turn that was taken away', () => {
  it.each([false, true])('while the model was slow writes nothing (stream: %s)', async (stream) => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const sent = stream ? talk.stream('first') : talk.send('first');
    const slow = await model.call(1);
    if (stream) slow.piece('Hello');
    // As another process does that takes this one for dead.
    await dead.takeTurn(talk);
    await dead.dieInTurn(talk);
    const other = await startTestServer(rig.vendor.environment, rig.server.home);
    const retry = other.call(`${talk.path}/retry`, {});
    (await model.call(2)).answer('The answer');
    expect((await retry).status).toBe(200);
    await other.stop();
    const stored = await talk.messages();
    if (stream) slow.end();
    else slow.answer('Too late');
    const late = await sent;
    const body = 'last' in late ? late.last : late.body;
    expect([late.status, body.code]).toEqual([stream ? 200 : 409, 'conflict']);
    expect(body.details.messageId).toBe(stored[0].id);
    expect(await talk.messages()).toEqual(stored);
    expect(await talk.lines()).toEqual(['complete user: first', 'complete assistant: The answer']);
    expect((await rig.server.call(talk.path)).body.conversation).toMatchObject({
      messageCount: 2,
      usage: { totalTokens: 10 },
    });
  });

  it('is aborted when its process wants to renew it', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const sent = talk.send('first');
    const call = await model.call(1);
    await dead.takeTurn(talk);
    expectError(await sent, 409, 'conflict', /taken back/);
    await expect.poll(() => call.isGone()).toBe(true);
  });
});

describe('a conversation that is deleted while it is answered', () => {
  it.each([false, true])('has its call aborted, and nothing of it is left (stream: %s)', async (stream) => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const { number } = await dead.db
      .selectFrom('conversations')
      .select('number')
      .where('id', '=', talk.id)
      .executeTakeFirstOrThrow();
    const sent = stream ? talk.stream('first') : talk.send('first');
    const call = await model.call(1);
    if (stream) call.piece('Hello');
    const waiting = talk.send('second');
    const deleted = await rig.server.call(talk.path, undefined, method('DELETE'));
    expect(deleted.body).toEqual({ message: 'Conversation deleted' });
    const answer = await sent;
    const body = 'last' in answer ? answer.last : answer.body;
    expect(body).toMatchObject({
      code: 'conflict',
      error: expect.stringMatching(/deleted while it was being answered/),
    });
    if (!stream) expect(answer.status).toBe(409);
    await expect.poll(() => call.isGone()).toBe(true);
    expectError(await waiting, 404, 'not_found');
    expect(model.calls).toHaveLength(1);
    expectError(await rig.server.call(talk.path), 404, 'not_found');
    for (const table of ['messages', 'tool_calls', 'compactions', 'turns', 'orphans'] as const) {
      const rows = await dead.db.selectFrom(table).select('owner').where('conversation', '=', number).execute();
      expect([table, rows]).toEqual([table, []]);
    }
    expect(await dead.db.selectFrom('conversations').select('id').where('number', '=', number).execute()).toEqual([]);
  });
});

describe('renewal', () => {
  const LEASE_MS = 300;
  const log = pino({ level: 'silent' });

  it('keeps a turn for longer than its lease', async () => {
    const talk = await begin(rig.server, rig.vendor.model());
    const turns = new Turns(dead.db, log, { waitMs: 1000, leaseMs: LEASE_MS });
    const others = new Turns(dead.db, log, { waitMs: 1000 });
    const { signal } = new AbortController();
    const { turn, row } = await turns.take('local', talk.id, signal, (_, { last_seq }) =>
      Promise.resolve({ value: undefined, firstSeq: last_seq + 1 }),
    );
    const ends = async (): Promise<number> => {
      await others.endExpired();
      const held = dead.db.selectFrom('turns').select('expires_at').where('conversation', '=', row.number);
      return Number((await held.executeTakeFirst())?.expires_at ?? 0);
    };
    const first = await ends();
    await expect.poll(ends).toBeGreaterThan(first + 3 * LEASE_MS);
    expect(turn.signal.aborted).toBe(false);
    expect(await turn.end(() => Promise.resolve('written'))).toBe('written');
    expect(await dead.turns(talk)).toBe(0);
    await turns.stop(0);
  });

  it('goes on after a time without turns', async () => {
    const talk = await begin(rig.server, rig.vendor.model());
    const turns = new Turns(dead.db, log, { waitMs: 1000, leaseMs: LEASE_MS });
    const renew = vi.spyOn(globalThis, 'clearInterval');
    const take = () =>
      turns.take('local', talk.id, new AbortController().signal, (_, { last_seq }) =>
        Promise.resolve({ value: undefined, firstSeq: last_seq + 1 }),
      );
    const { turn } = await take();
    await turn.end(() => Promise.resolve());
    // It stops by itself when there is nothing to renew.
    await expect.poll(() => renew.mock.calls.length).toBeGreaterThan(0);
    const { turn: next, row } = await take();
    const ends = async (): Promise<number> => {
      const held = dead.db.selectFrom('turns').select('expires_at').where('conversation', '=', row.number);
      return Number((await held.executeTakeFirst())?.expires_at ?? 0);
    };
    const first = await ends();
    await expect.poll(ends).toBeGreaterThan(first + LEASE_MS);
    await next.end(() => Promise.resolve());
    await turns.stop(0);
  });
});
