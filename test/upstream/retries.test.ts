import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pause } from '../../src/core/pause.ts';
import { good, reply, type Script } from './bad-upstream.ts';
import { type Rig, startRig } from './rig.ts';

vi.mock('../../src/core/pause.ts', { spy: true });
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

describe('the pause before a retry', () => {
  it('is over before the next request', async () => {
    const got = await rig.ask(failing(429, 1, 'retry-after: 1'));
    expect([got.status, got.content]).toEqual([200, 'good']);
    const [first, second] = got.seen;
    // A timer may come a little early.
    expect(second!.at - first!.at).toBeGreaterThan(990);
  });

  describe('in milliseconds', () => {
    /** The pauses that were asked for; they are over at once. */
    let asked: number[];

    beforeEach(() => {
      asked = [];
      vi.mocked(pause).mockImplementation((ms) => {
        asked.push(ms ?? Number.POSITIVE_INFINITY);
        return Promise.resolve(true);
      });
    });
    afterEach(() => void vi.mocked(pause).mockRestore());

    it.each([false, true])('grows, and is not the same for all (stream: %s)', async (stream) => {
      for (let i = 0; i < 5; i++) await rig.ask(failing(500, 2), { stream });
      expect(asked).toHaveLength(10);
      const firsts = asked.filter((_, i) => i % 2 === 0);
      const seconds = asked.filter((_, i) => i % 2 === 1);
      expect(firsts).toSatisfy(() => firsts.every((ms) => ms >= 200 && ms <= 400));
      expect(seconds).toSatisfy(() => seconds.every((ms) => ms >= 400 && ms <= 800));
      expect([new Set(firsts).size, new Set(seconds).size]).toEqual([5, 5]);
    });

    it('is what Retry-After says in seconds', async () => {
      const got = await rig.ask(failing(429, 2, 'retry-after: 7'));
      expect([got.content, asked]).toEqual(['good', [7000, 7000]]);
    });

    it('lasts until the date that Retry-After names', async () => {
      const before = Date.now();
      const date = new Date(Math.ceil(before / 1000) * 1000 + 20_000);
      const got = await rig.ask(failing(503, 1, `retry-after: ${date.toUTCString()}`));
      expect([got.content, asked.length]).toEqual(['good', 1]);
      // Between what was left of the time before and after the call, however long that took.
      expect(asked[0]).toBeLessThanOrEqual(date.getTime() - before + 1);
      expect(asked[0]).toBeGreaterThanOrEqual(date.getTime() - Date.now() - 1);
    });

    it('is what Retry-After says in milliseconds rather than in seconds', async () => {
      const got = await rig.ask(failing(429, 2, 'retry-after: 20', 'retry-after-ms: 30'));
      expect([got.content, asked]).toEqual(['good', [30, 30]]);
    });

    it('is none for a Retry-After of 0', async () => {
      const got = await rig.ask(failing(503, 2, 'retry-after: 0'));
      expect([got.content, asked]).toEqual(['good', [0, 0]]);
    });

    it('is the usual one for a Retry-After that cannot be read', async () => {
      const got = await rig.ask(failing(503, 1, 'retry-after: soon'));
      expect([got.content, asked.length]).toEqual(['good', 1]);
      expect(asked[0]).toSatisfy((ms: number) => ms >= 200 && ms <= 400);
    });

    it.each([
      ['retry-after: 60', '60'],
      ['retry-after-ms: 45500', '46'],
      ['retry-after: 31', '31'],
    ])('is left to our caller beyond 30 s: %s', async (line, ours) => {
      const got = await rig.ask(failing(429, 1, line));
      expect([got.status, got.code]).toEqual([429, 'provider_rate_limited']);
      expect(got.headers.get('retry-after')).toBe(ours);
      expect([got.seen.length, asked]).toEqual([1, []]);
    });

    it('that the last try named is passed on', async () => {
      const got = await rig.ask(failing(503, 9, 'retry-after-ms: 50'));
      expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
      expect(got.headers.get('retry-after')).toBe('1');
      expect([got.seen.length, asked]).toEqual([3, [50, 50]]);
    });
  });
});
