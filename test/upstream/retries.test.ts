import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { good, reply, type Script, type Seen } from './bad-upstream.ts';
import { type Rig, startRig } from './rig.ts';

// Most of the time of these tests is waiting.
vi.setConfig({ maxConcurrency: 12 });

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});

afterAll(() => rig.stop());

/** Shortens the pause before a retry. */
const SOON = 'retry-after-ms: 10';

const failing = (status: number, times = Number.POSITIVE_INFINITY, ...lines: string[]): Script => {
  return (seen, n) => {
    if (n > times) good(seen);
    else seen.socket.write(reply(status, { error: { message: `Try ${n}` } }, ...lines));
  };
};

/** Milliseconds between the requests. */
function pauses(seen: Seen[]): number[] {
  return seen.slice(1).map(({ at }, i) => at - seen[i]!.at);
}

describe.each([false, true])('tries again (stream: %s)', (stream) => {
  it.concurrent.each([408, 409, 429, 500, 502, 503, 529])('after two times %i: one answer', async (status) => {
    const got = await rig.ask(failing(status, 2, SOON), { stream });
    expect([got.status, got.content, got.code]).toEqual([200, 'good', undefined]);
    expect(got.text.split('good')).toHaveLength(2);
    expect(got.seen).toHaveLength(3);
    expect(got.seen[2]!.body).toEqual(got.seen[0]!.body);
  });

  it.concurrent.each([
    [429, 429, 'provider_rate_limited'],
    [500, 502, 'provider_unavailable'],
    [503, 502, 'provider_unavailable'],
    [529, 502, 'provider_unavailable'],
    [408, 504, 'provider_timeout'],
    [504, 504, 'provider_timeout'],
  ])('three times %i: %i and the words of the last', async (status, ours, code) => {
    const got = await rig.ask(failing(status, 9, SOON), { stream });
    expect([got.status, got.code, got.body.error]).toEqual([ours, code, 'OpenAI: Try 3']);
    expect(got.seen).toHaveLength(3);
  });

  it.concurrent('with growing pauses that are not the same for all', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => rig.ask(failing(500, 2), { stream })));
    const firsts = all.map(({ seen }) => pauses(seen)[0]!);
    const seconds = all.map(({ seen }) => pauses(seen)[1]!);
    expect(Math.min(...firsts)).toBeGreaterThan(190);
    expect(Math.min(...seconds)).toBeGreaterThan(390);
    expect(Math.max(...seconds)).toBeLessThan(5000);
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(10);
  });

  it.concurrent.each([
    [400, 400],
    [401, 502],
    [403, 502],
    [404, 404],
    [413, 400],
    [422, 400],
  ])('not after %i: %i', async (status, ours) => {
    const got = await rig.ask(failing(status, 1), { stream });
    expect([got.status, got.body.error]).toEqual([ours, 'OpenAI: Try 1']);
    expect(got.seen).toHaveLength(1);
  });

  it.concurrent('not when the purse is empty', async () => {
    const got = await rig.ask(
      (seen) => seen.socket.write(reply(429, { error: { message: 'M', code: 'insufficient_quota' } })),
      { stream },
    );
    expect([got.status, got.code]).toEqual([429, 'provider_rate_limited']);
    expect(got.seen).toHaveLength(1);
  });
});

describe('Retry-After', () => {
  it.concurrent('is obeyed, in seconds', async () => {
    const got = await rig.ask(failing(429, 1, 'retry-after: 1'));
    expect([got.status, got.content]).toEqual([200, 'good']);
    expect(pauses(got.seen)[0]).toBeGreaterThan(990);
    expect(pauses(got.seen)[0]).toBeLessThan(5000);
  });

  it.concurrent('is obeyed, as a date', async () => {
    const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    const got = await rig.ask(failing(503, 1, `retry-after: ${date.toUTCString()}`));
    expect([got.status, got.content]).toEqual([200, 'good']);
    expect(Date.now()).toBeGreaterThanOrEqual(date.getTime());
  });

  it.concurrent('in milliseconds goes before seconds', async () => {
    const got = await rig.ask(failing(429, 2, 'retry-after: 20', 'retry-after-ms: 30'));
    expect([got.status, got.content]).toEqual([200, 'good']);
    for (const ms of pauses(got.seen)) expect(ms).toBeLessThan(5000);
  });

  it.concurrent('of 0 tries at once', { retry: 3 }, async () => {
    const got = await rig.ask(failing(503, 2, 'retry-after: 0'));
    expect([got.status, got.content]).toEqual([200, 'good']);
    expect(got.ms).toBeLessThan(500);
  });

  it.concurrent('that cannot be read leaves the usual pause', async () => {
    const got = await rig.ask(failing(503, 1, 'retry-after: soon'));
    expect([got.status, got.content]).toEqual([200, 'good']);
    expect(pauses(got.seen)[0]).toBeLessThan(5000);
  });

  it.concurrent.each([
    ['retry-after: 60', '60'],
    ['retry-after-ms: 45500', '46'],
    ['retry-after: 31', '31'],
  ])('beyond 30 s is our caller’s: %s', async (line, ours) => {
    const got = await rig.ask(failing(429, 1, line));
    expect([got.status, got.code]).toEqual([429, 'provider_rate_limited']);
    expect(got.headers.get('retry-after')).toBe(ours);
    expect(got.seen).toHaveLength(1);
    expect(got.ms).toBeLessThan(10_000);
  });

  it.concurrent('of the last try is passed on', async () => {
    const got = await rig.ask(failing(503, 9, 'retry-after-ms: 50'));
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    expect(got.headers.get('retry-after')).toBe('1');
    expect(got.seen).toHaveLength(3);
  });
});
