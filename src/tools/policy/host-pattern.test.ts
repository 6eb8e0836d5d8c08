import { describe, expect, it } from 'vitest';
import { compileHost } from './host-pattern.ts';

describe('compileHost', () => {
  it.each<[string, string, number, boolean]>([
    ['example.com', 'example.com', 443, true],
    ['Example.COM', 'example.com', 443, true],
    ['example.com.', 'example.com', 443, true],
    ['example.com', 'example.com.', 443, true],
    ['example.com', 'www.example.com', 443, false],
    ['*.example.com', 'www.example.com', 443, true],
    ['*.example.com', 'a.b.example.com', 80, true],
    ['*.example.com', 'example.com', 443, false],
    ['*.example.com', 'wwwexample.com', 443, false],
    ['*.example.com', 'www.example.com.evil.net', 443, false],
    ['example.com:8080', 'example.com', 8080, true],
    ['example.com:8080', 'example.com', 443, false],
    ['*:8080', 'anything', 8080, true],
    ['*', 'anything', 1, true],
    ['bücher.example', 'xn--bcher-kva.example', 443, true],
    ['127.0.0.1', '127.0.0.1', 80, true],
    ['0x7f.1', '127.0.0.1', 80, true],
    ['[::1]', '[::1]', 80, true],
    ['[::1]:3000', '[::1]', 3000, true],
    ['[0:0:0:0:0:0:0:1]', '[::1]', 80, true],
  ])('%s and %s at %i: %s', (pattern, host, port, matches) => {
    expect(compileHost(pattern).matches(host, port)).toBe(matches);
  });

  it.each([
    '',
    '*.',
    '*.*.com',
    'a*.example.com',
    'example.*',
    'example.com:0',
    'example.com:99999',
    'example.com:http',
    'https://example.com',
    'example.com/path',
    'user@example.com',
    'a b',
    '*.127.0.0.1',
    '*.[::1]',
    '::1',
    'exa%6dple.com/',
  ])('%s is no host', (pattern) => {
    expect(() => compileHost(pattern)).toThrow(/host|address/);
  });

  it('knows which name one host', () => {
    expect(['example.com', '*.example.com', '*'].map((pattern) => compileHost(pattern).isExact)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
