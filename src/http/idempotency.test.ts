import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../storage/database.ts';
import { EventStream } from './event-stream.ts';
import { Idempotency, type KeyedRequest, type Work } from './idempotency.ts';
import { fingerprintOf } from './idempotency-key.ts';
import { Page } from './page.ts';

const NEVER = new AbortController().signal;

let database: Database;
let keys = 0;

beforeAll(async () => {
  database = await openDatabase({ file: ':memory:' });
});
afterAll(() => database.close());
afterEach(() => vi.useRealTimers());

function idempotency(patienceMs?: number): Idempotency {
  return new Idempotency(database.db, pino({ level: 'silent' }), patienceMs);
}

function newRequest(): KeyedRequest {
  return { owner: 'local', route: 'POST /x', key: `key-${++keys}`, fingerprint: 'f' };
}

function page(text: string): Page {
  return new Page(text, { 'content-type': 'application/json' }, 201);
}

function replayed(text: string): Page {
  return new Page(text, { 'content-type': 'application/json', 'idempotency-replayed': 'true' }, 201);
}

/** So many are waiting; there are no other timers. */
async function untilTimers(count: number): Promise<void> {
  while (vi.getTimerCount() !== count) await new Promise((resolve) => setImmediate(resolve));
}

/** Work that goes on until it is let, and whether it has begun. */
function gated(answer: Page): { work: Work; begun: Promise<void>; open: () => void } {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const work: Work = async () => {
    begun.resolve();
    await gate.promise;
    return answer;
  };
  return { work, begun: begun.promise, open: gate.resolve };
}

const notCalled: Work = () => Promise.reject(new Error('must not run'));

describe('a request that waits for the first one', () => {
  it('is refused when its patience ends, be the first one here or in another process', async () => {
    const request = newRequest();
    const here = idempotency(20);
    const { work, begun, open } = gated(page('{}'));
    const first = here.answer(request, NEVER, work);
    await begun;
    const refusal = { code: 'conflict', retryAfter: 5, message: expect.stringMatching(/still running/) };
    await expect(here.answer(request, NEVER, notCalled)).rejects.toMatchObject(refusal);
    await expect(idempotency(20).answer(request, NEVER, notCalled)).rejects.toMatchObject(refusal);
    open();
    await first;
    expect(await here.answer(request, NEVER, notCalled)).toMatchObject({ text: '{}', status: 201 });
  });

  it('is woken by its end, and by nothing before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const request = newRequest();
    const here = idempotency();
    const { work, begun, open } = gated(page('{"a":1}'));
    const first = here.answer(request, NEVER, work);
    await begun;
    const others = Array.from({ length: 3 }, () => here.answer(request, NEVER, notCalled));
    await untilTimers(3);
    open();
    expect(await first).toEqual(page('{"a":1}'));
    for (const other of await Promise.all(others)) expect(other).toEqual(replayed('{"a":1}'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('looks for its end now and then if it is in another process', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const request = newRequest();
    const { work, begun, open } = gated(page('{"a":1}'));
    const first = idempotency().answer(request, NEVER, work);
    await begun;
    const second = idempotency().answer(request, NEVER, notCalled);
    for (const ms of [50, 100, 200, 400, 500, 500]) {
      await untilTimers(1);
      vi.advanceTimersByTime(ms - 1);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(1);
      expect(vi.getTimerCount()).toBe(0);
    }
    await untilTimers(1);
    open();
    await first;
    vi.advanceTimersByTime(500);
    expect(await second).toEqual(replayed('{"a":1}'));
  });

  it('stops waiting when its caller leaves', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const request = newRequest();
    const here = idempotency();
    const { work, begun, open } = gated(page('{}'));
    const first = here.answer(request, NEVER, work);
    await begun;
    for (const place of [here, idempotency()]) {
      const caller = new AbortController();
      const waiting = place.answer(request, caller.signal, notCalled);
      await untilTimers(1);
      caller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
      expect(vi.getTimerCount()).toBe(0);
    }
    open();
    await first;
  });
});

describe('the lease', () => {
  const lease = async (key: string): Promise<number> => {
    const row = await database.db
      .selectFrom('idempotency_keys')
      .select('expires_at')
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    return row.expires_at;
  };

  it('is renewed by one timer as long as something runs', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const here = idempotency();
    const requests = [newRequest(), newRequest()];
    const runs = requests.map((request) => ({ request, ...gated(page('{}')) }));
    const answers = runs.map(({ request, work }) => here.answer(request, NEVER, work));
    for (const { begun } of runs) await begun;
    expect(vi.getTimerCount()).toBe(1);
    const almostOver = Date.now() + 1000;
    await database.db
      .updateTable('idempotency_keys')
      .set({ expires_at: almostOver })
      .where('status', 'is', null)
      .execute();
    vi.advanceTimersByTime(5000);
    for (const { key } of requests) await expect.poll(() => lease(key)).toBeGreaterThan(almostOver);
    for (const { open } of runs) open();
    await Promise.all(answers);
    expect(vi.getTimerCount()).toBe(0);
    const next = gated(page('{}'));
    const answer = here.answer(newRequest(), NEVER, next.work);
    await next.begun;
    expect(vi.getTimerCount()).toBe(1);
    next.open();
    await answer;
  });

  it('is renewed also of a try that came after one that had lost it, and had ended since', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const request = newRequest();
    const here = idempotency();
    const [first, second] = [gated(page('1')), gated(page('2'))];
    const one = here.answer(request, NEVER, first.work);
    await first.begun;
    await database.db
      .updateTable('idempotency_keys')
      .set({ expires_at: Date.now() - 1000 })
      .where('key', '=', request.key)
      .execute();
    const two = here.answer(request, NEVER, second.work);
    await second.begun;
    first.open();
    expect(await one).toEqual(page('1'));
    expect(vi.getTimerCount()).toBe(1);
    second.open();
    expect(await two).toEqual(page('2'));
    expect(await here.answer(request, NEVER, notCalled)).toEqual(replayed('2'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not keep the process alive', async () => {
    const set = vi.spyOn(globalThis, 'setInterval');
    const { work, begun, open } = gated(page('{}'));
    const answer = idempotency().answer(newRequest(), NEVER, work);
    await begun;
    expect(set.mock.results.map(({ value }) => value.hasRef())).toEqual([false]);
    set.mockRestore();
    open();
    await answer;
  });
});

describe('what is kept', () => {
  it('nothing longer than 16 MiB: then the next try runs again, under the same ids', async () => {
    const request = newRequest();
    const ids: string[] = [];
    const here = idempotency();
    // The last character has two bytes.
    for (const [length, outcome] of [
      [16 * 1024 * 1024, 'runs'],
      [16 * 1024 * 1024 - 1, 'is replayed'],
    ] as const) {
      const text = `${'x'.repeat(length - 1)}é`;
      await here.answer(request, NEVER, (newId) => {
        ids.push(newId('task'), newId('task'));
        return Promise.resolve(page(text));
      });
      const again = here.answer(request, NEVER, notCalled).then(
        (answer) => (answer instanceof Page && answer.text === text ? 'is replayed' : 'is another one'),
        () => 'runs',
      );
      expect(await again).toBe(outcome);
    }
    expect(new Set(ids).size).toBe(2);
    expect(ids.slice(0, 2)).toEqual(ids.slice(2));
  });

  it.each([
    [
      'an event stream that ended well',
      ['data: {"content":"a"}\n\n', 'data: {"done":true,"x":"\u2028\\n\\n"}\n\n'],
      true,
    ],
    ['one whose last event has more than data', ['id: 1\ndata: {}\n\n', 'id: 2\ndata: {"done":true}\n\n'], true],
    ['one that was sent in one piece', ['data: {"content":"a"}\n\ndata: {"done":true}\n\n'], true],
    ['one that failed', ['data: {"content":"a"}\n\ndata: {"error":"x","done":true}\n\n'], false],
    ['one that broke off', ['data: {"content":"a"}\n\n'], false],
    ['one that says it in its text only', ['data: {"content":"data: {\\"done\\":true}"}\n\n'], false],
    ['an empty one', [], false],
  ])('%s: %#', async (_, chunks, isKept) => {
    const request = newRequest();
    const here = idempotency();
    const answer = await here.answer(request, NEVER, () => Promise.resolve(new EventStream(inPieces(chunks))));
    expect(await sentOf(answer)).toEqual(chunks);
    const again = here.answer(request, NEVER, notCalled);
    if (isKept) expect(await again).toMatchObject({ text: chunks.join('') });
    else await expect(again).rejects.toThrow('must not run');
  });

  it('the whole stream, if it outlives its caller', async () => {
    const source = () => new EventStream(inPieces([]), { outlivesCaller: true });
    expect(await idempotency().answer(newRequest(), NEVER, () => Promise.resolve(source()))).toMatchObject({
      outlivesCaller: true,
    });
  });

  it('no event stream longer than 16 MiB', async () => {
    const request = newRequest();
    const here = idempotency();
    const long = `data: {"content":"${'x'.repeat(8 * 1024 * 1024)}"}\n\n`;
    const chunks = [long, long, 'data: {"done":true}\n\n'];
    const answer = await here.answer(request, NEVER, () => Promise.resolve(new EventStream(inPieces(chunks))));
    expect(await sentOf(answer)).toHaveLength(3);
    await expect(here.answer(request, NEVER, notCalled)).rejects.toThrow('must not run');
  });

  it('an answer that the database refuses does not reach the caller the less', async () => {
    const broken = await openDatabase({ file: ':memory:' });
    const place = new Idempotency(broken.db, pino({ level: 'silent' }));
    const answer = place.answer(newRequest(), NEVER, async () => {
      await broken.close();
      return page('{"a":1}');
    });
    expect(await answer).toEqual(page('{"a":1}'));
  });
});

describe('the fingerprint', () => {
  it.each([
    ['{"a":1,"b":{"c":[1,2],"d":null}}', '{ "b": {"d":null, "c":[1, 2]},\n"a":1.0 }'],
    ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
  ])('is the same for %s and %s', (a, b) => {
    expect(fingerprintOf({}, JSON.parse(a))).toBe(fingerprintOf({}, JSON.parse(b)));
  });

  it.each([
    ['{"a":[1,2]}', '{"a":[2,1]}'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":null}', '{}'],
    ['{"__proto__":1}', '{"__proto__":2}'],
    ['{"a":{"b":1}}', '{"a":{"b":2}}'],
  ])('is another one for %s and %s', (a, b) => {
    expect(fingerprintOf({}, JSON.parse(a))).not.toBe(fingerprintOf({}, JSON.parse(b)));
  });

  it('is of the query too', () => {
    expect(fingerprintOf({ a: '1' }, {})).not.toBe(fingerprintOf({}, {}));
    expect(fingerprintOf({ a: '1', b: '2' }, {})).toBe(fingerprintOf({ b: '2', a: '1' }, {}));
  });
});

async function* inPieces(chunks: string[]): AsyncGenerator<string> {
  yield* chunks;
}

async function sentOf(answer: Page | EventStream): Promise<string[]> {
  const sent: string[] = [];
  if (answer instanceof EventStream) for await (const chunk of answer.chunks) sent.push(chunk);
  return sent;
}
