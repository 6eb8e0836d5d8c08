import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isBase64 } from './base64.ts';

it.each([
  ['aGk=', true],
  ['aA==', true],
  ['abcd+/09', true],
  ['', false],
  ['=', false],
  ['==', false],
  ['a===', false],
  ['a=b=', false],
  ['a b', false],
  ['aGk=\n', false],
  ['a-_', false],
])('%j: %s', (text, is) => expect(isBase64(text)).toBe(is));

it('reads pictures of any size, also where V8 makes expressions as it does in a process that has made many', () => {
  const content = JSON.stringify(join(import.meta.dirname, '../chat/content.ts'));
  const script = `const { readMedia } = await import(${content});
    const url = (n) => 'data:image/png;base64,' + 'A'.repeat(n);
    console.log(readMedia(url(3)).data, readMedia(url(2e7)).data.length, readMedia(url(2e7) + '!'), readMedia('data:image/png;base64,'));`;
  const flags = ['--no-regexp-optimization', '--input-type=module', '-e', script];
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('AAA 20000000 undefined undefined\n');
});
