import { describe, expect, it } from 'vitest';
import { idFrom, newId, newToken, tokenOf } from './ids.ts';

describe('newId', () => {
  it('is a prefix and 24 characters that nobody confuses', () => {
    expect(newId('resp')).toMatch(/^resp_[0-9a-hjkmnp-tv-z]{24}$/);
  });

  it('is unique and sorts in the order of making, 100 000 times', () => {
    const ids = Array.from({ length: 100_000 }, () => newId('req'));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? ''))).toBe(true);
  });

  it('sorts also when the clock goes back, and by time when it goes on', () => {
    const later = Date.now() + 10_000;
    const ids = [newId('task', later), newId('task', later - 5000), newId('task', later), newId('task', later + 1)];
    expect(ids.toSorted()).toEqual(ids);
    const [first, second] = ids;
    expect(second?.slice(0, 14)).toBe(first?.slice(0, 14));
  });

  it('does not run out within a millisecond', () => {
    const now = Date.now() + 20_000;
    const ids = Array.from({ length: 40_000 }, () => newId('call', now));
    expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? ''))).toBe(true);
  });
});

describe('idFrom', () => {
  it('gives the same ids each time, which look like all others, differ and sort', () => {
    const token = newToken();
    const ids = Array.from({ length: 32_768 }, (_, i) => idFrom('msg', token, i));
    expect(ids).toEqual(ids.map((_, i) => idFrom('msg', token, i)));
    for (const id of ids) expect(id).toMatch(/^msg_[0-9a-hjkmnp-tv-z]{24}$/);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    expect(idFrom('msg', token)).toBe(ids[0]);
    expect(() => idFrom('msg', token, ids.length)).toThrow(RangeError);
    expect(new Set(ids.map(tokenOf))).toEqual(new Set([token]));
    expect(tokenOf(newId('msg'))).not.toBe(token);
  });

  it('gives others for another token, as old as the token', () => {
    const [first, between, second] = [newToken(), newId('task'), newToken()];
    expect([idFrom('task', first), between, idFrom('task', second)].toSorted()).toEqual([
      idFrom('task', first),
      between,
      idFrom('task', second),
    ]);
  });
});
