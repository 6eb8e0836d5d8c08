import { beforeEach, describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../errors.ts';
import { CoolDowns } from './cool-down.ts';

let now: number;
let coolDowns: CoolDowns;
const key = {};

beforeEach(() => {
  now = 1000;
  coolDowns = new CoolDowns(() => now);
});

const error = (code: ErrorCode = 'provider_unavailable', retryAfter?: number): AppError =>
  new AppError(code, 'x', { retryAfter });

const fail = (times: number, code?: ErrorCode, retryAfter?: number): void => {
  for (let i = 0; i < times; i++) coolDowns.start(key, 'm').failed(error(code, retryAfter));
};

const left = (): number | undefined => coolDowns.cooling(key, 'm')?.leftMs;

describe('begins', () => {
  it.each<ErrorCode>(['provider_rate_limited', 'provider_timeout', 'provider_unavailable'])(
    'after three calls in a row that failed with %s',
    (code) => {
      fail(2, code);
      expect(left()).toBeUndefined();
      fail(1, code);
      expect(coolDowns.cooling(key, 'm')).toEqual({ code, leftMs: 5000 });
    },
  );

  it('not if one of them was answered', () => {
    fail(2);
    const call = coolDowns.start(key, 'm');
    call.begun();
    call.ended();
    fail(2);
    expect(left()).toBeUndefined();
  });

  it('also if answers begin but never end', () => {
    for (let i = 0; i < 3; i++) {
      const call = coolDowns.start(key, 'm');
      call.begun();
      call.failed(error());
    }
    expect(left()).toBe(5000);
  });

  it.each([
    [60, 60_000],
    [1, 5000],
    [86_400, 600_000],
  ])('at once if the provider names a time: %d s', (seconds, ms) => {
    fail(1, 'provider_rate_limited', seconds);
    expect(left()).toBe(ms);
  });

  it.each<ErrorCode>([
    'provider_rejected',
    'provider_auth',
    'provider_protocol',
    'invalid_request',
    'model_not_found',
    'context_length_exceeded',
    'content_filtered',
    'cancelled',
  ])('never with %s, whatever time it names', (code) => {
    fail(9, code, 60);
    expect(left()).toBeUndefined();
  });

  it('for this key and this model only', () => {
    fail(3);
    expect(coolDowns.cooling(key, 'other')).toBeUndefined();
    expect(coolDowns.cooling({}, 'm')).toBeUndefined();
  });
});

describe('ends', () => {
  it('with one call at a time that finds out; the others keep off until it has begun to be answered', () => {
    fail(3);
    now += 4999;
    expect(left()).toBe(1);
    expect(coolDowns.start(key, 'm').isProbe).toBe(false);
    now += 1;
    expect(left()).toBeUndefined();
    const probe = coolDowns.start(key, 'm');
    expect([probe.isProbe, left()]).toEqual([true, 0]);
    expect(coolDowns.start(key, 'm').isProbe).toBe(false);
    probe.begun();
    expect(left()).toBeUndefined();
    probe.ended();
    fail(2);
    expect(left()).toBeUndefined();
  });

  it('later each time that call fails, up to two minutes', () => {
    fail(3);
    const waits = [5, 10, 20, 40, 80, 120, 120];
    for (const seconds of waits) {
      expect(left()).toBe(seconds * 1000);
      now += seconds * 1000;
      fail(1);
    }
  });

  it('not with a call that fails in the middle of its answer', () => {
    fail(3);
    now += 5000;
    const probe = coolDowns.start(key, 'm');
    probe.begun();
    probe.failed(error());
    expect(left()).toBe(10_000);
  });

  it('with the next call if the one that was to find out has told nothing', () => {
    fail(3);
    now += 5000;
    coolDowns.start(key, 'm').failed(error('cancelled'));
    expect(left()).toBeUndefined();
    coolDowns.start(key, 'm').failed(new Error('a mistake of ours'));
    expect(left()).toBeUndefined();
    expect(coolDowns.start(key, 'm').isProbe).toBe(true);
  });

  it('with any call that was made all the same and is answered', () => {
    fail(3);
    coolDowns.start(key, 'm').begun();
    expect(left()).toBeUndefined();
  });
});

describe('is not changed', () => {
  it('by what comes of calls that began before it', () => {
    const [early, late, well] = [1, 2, 3].map(() => coolDowns.start(key, 'm'));
    fail(1, 'provider_rate_limited', 60);
    early?.failed(error('provider_rate_limited', 300));
    late?.failed(error());
    well?.begun();
    well?.ended();
    expect(left()).toBe(60_000);
  });

  it('by failures of calls that were made all the same, unless they name a later time', () => {
    fail(3);
    fail(9);
    expect(left()).toBe(5000);
    fail(1, 'provider_rate_limited', 30);
    expect(left()).toBe(30_000);
    now += 30_000;
    fail(1);
    expect(left()).toBe(10_000);
  });
});

it('remembers a bounded number of models of one key, the latest', () => {
  for (let i = 0; i < 1100; i++) coolDowns.start(key, `m${i}`).failed(error('provider_unavailable', 60));
  expect(coolDowns.cooling(key, 'm99')).toBeUndefined();
  expect(coolDowns.cooling(key, 'm100')).toBeDefined();
  expect(coolDowns.cooling(key, 'm1099')).toBeDefined();
});
