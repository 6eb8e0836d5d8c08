import { expect, it } from 'vitest';
import { isSameSite } from './same-site.ts';

it.each([
  ['https://a.test/', 'https://www.a.test/x', true],
  ['https://www.a.test/', 'http://a.test', true],
  ['http://a.test', 'https://A.test./', true],
  ['https://a.test:8443', 'https://a.test:8443/x', true],
  ['https://a.test:8443', 'https://a.test', false],
  ['https://a.test:8443', 'https://www.a.test:8443', false],
  ['https://a.test', 'https://b.a.test', false],
  ['https://a.github.io', 'https://github.io', false],
  ['https://a.github.io', 'https://b.github.io', false],
  ['https://a.test', 'https://a.test.evil.test', false],
  ['https://a.test', 'https://wwwa.test', false],
  ['https://www.test', 'https://test', false],
  ['http://127.0.0.1', 'http://127.0.0.2', false],
])('%s and %s: %s', (one, other, is) => {
  expect(isSameSite(new URL(one), new URL(other))).toBe(is);
});
