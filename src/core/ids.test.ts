import { describe, expect, it } from 'vitest';
import { newId } from './ids.ts';

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
