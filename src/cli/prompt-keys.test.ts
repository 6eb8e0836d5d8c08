import { describe, expect, it } from 'vitest';
import { type Draft, type Key, NO_DRAFT, type Order, pressed } from './prompt-keys.ts';
import { layOut } from './prompt-layout.ts';

/** What becomes of a text, with `|` where the cursor is, after these keys. */
function typed(text: string, ...keys: (string | Key)[]): string {
  const cursor = text.indexOf('|');
  const draft = { text: text.replace('|', ''), cursor };
  const { text: now, cursor: at } = keys.reduce((one: Draft, key) => {
    const next = typeof key === 'string' ? pressed(one, key, {}) : pressed(one, undefined, key);
    return typeof next === 'string' ? one : next;
  }, draft);
  return `${now.slice(0, at)}|${now.slice(at)}`;
}

describe('keys', () => {
  it('put in characters where the cursor is, but none that act', () => {
    expect(typed('a|c', 'b')).toBe('ab|c');
    expect(typed('a|', '\u0007', '\u009b')).toBe('a|');
  });

  it('go by what a reader takes for one character', () => {
    expect(typed('x👩‍👩‍👧|', { name: 'left' })).toBe('x|👩‍👩‍👧');
    expect(typed('xe\u0301|', { name: 'backspace' })).toBe('x|');
    expect(typed('|👍y', { name: 'delete' })).toBe('|y');
  });

  it('go by words and lines, as in a shell', () => {
    expect(typed('one two  |', { name: 'w', ctrl: true })).toBe('one |');
    expect(typed('one| two', { name: 'f', meta: true })).toBe('one two|');
    expect(typed('a\nbc|d\ne', { name: 'a', ctrl: true })).toBe('a\n|bcd\ne');
    expect(typed('a\nbc|d\ne', { name: 'u', ctrl: true })).toBe('a\n|d\ne');
    expect(typed('a\nb|cd\ne', { name: 'k', ctrl: true })).toBe('a\nb|\ne');
    expect(typed('abc\nd|', { name: 'up' })).toBe('a|bc\nd');
    expect(typed('abc|\nd', { name: 'down' })).toBe('abc\nd|');
  });

  it('begin another line after a backslash or with Alt, and else submit', () => {
    expect(typed('a\\|', { name: 'return' })).toBe('a\n|');
    expect(typed('a|', { name: 'return', meta: true })).toBe('a\n|');
    expect(pressed({ text: 'a', cursor: 1 }, '\r', { name: 'return' })).toBe('submit');
  });

  it('order what the prompt does', () => {
    const orders: [Key, Order][] = [
      [{ name: 'c', ctrl: true }, 'interrupt'],
      [{ name: 'd', ctrl: true }, 'end'],
      [{ name: 'up' }, 'older'],
      [{ name: 'down' }, 'newer'],
      [{ name: 'tab' }, 'complete'],
    ];
    for (const [key, order] of orders) expect(pressed(NO_DRAFT, undefined, key)).toBe(order);
    expect(pressed({ text: 'a', cursor: 0 }, undefined, { name: 'd', ctrl: true })).toEqual(NO_DRAFT);
  });
});

describe('layout', () => {
  it('breaks rows before they are full, and knows where the cursor is', () => {
    expect(layOut({ text: 'abcdefgh', cursor: 8 }, 2, 8, 24)).toEqual({ rows: ['abcde', 'fgh'], row: 1, column: 5 });
    expect(layOut({ text: 'abcdefgh', cursor: 5 }, 2, 8, 24)).toMatchObject({ row: 1, column: 2 });
    expect(layOut({ text: 'ab\ncd', cursor: 2 }, 2, 80, 24)).toEqual({ rows: ['ab', 'cd'], row: 0, column: 4 });
  });

  it('gives wide characters two columns', () => {
    expect(layOut({ text: '日本語', cursor: 3 }, 2, 8, 24)).toEqual({ rows: ['日本', '語'], row: 1, column: 4 });
  });

  it('shows the rows around the cursor if not all fit', () => {
    const text = '1\n2\n3\n4';
    expect(layOut({ text, cursor: text.length }, 2, 80, 2)).toEqual({ rows: ['3', '4'], row: 1, column: 3 });
    expect(layOut({ text, cursor: 0 }, 2, 80, 2)).toEqual({ rows: ['1', '2'], row: 0, column: 2 });
  });
});
