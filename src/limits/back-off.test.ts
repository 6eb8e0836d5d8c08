import { expect, it } from 'vitest';
import { pauseMs } from './back-off.ts';

it('an account has a pause of a minute at most, an address of a quarter of an hour', () => {
  const seconds = (name: string) => Array.from({ length: 18 }, (_, i) => pauseMs(name, i + 1) / 1000);
  expect(seconds('account:a')).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60]);
  expect(seconds('address:a')).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  expect(pauseMs('account:a', 1_000_000)).toBe(60_000);
  expect(pauseMs('address:a', 1_000_000)).toBe(900_000);
});
