import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { openProgress } from './progress.ts';

class Screen extends Writable {
  isTTY: boolean;
  columns = 90;
  text = '';

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

const rows = (done: number, total = 10_000) => ({ done, total, unit: 'rows' });

it('is one line on a terminal, with rate and time left, that is gone at the end', () => {
  const screen = new Screen(true);
  let now = 0;
  const line = openProgress({ error: screen }, () => now);
  line.show('copy', 'messages', rows(0));
  now = 50;
  line.show('copy', 'messages', rows(100));
  now = 1000;
  line.show('copy', 'messages', rows(2500));
  line.end();
  line.end();
  screen.columns = 40;
  line.show('copy', 'messages', rows(10_000));
  const [, first, second, wiped, narrow, ...rest] = screen.text.split('\r');
  expect(first).toBe(`${'░'.repeat(24)} copy messages, 0 of 10,000 rows\u001b[K`);
  expect(second).toContain('copy messages, 2,500 of 10,000 rows, 2,500/s, 3 s left');
  expect(second?.startsWith(`${'█'.repeat(6)}${'░'.repeat(18)} `)).toBe(true);
  expect(wiped).toBe('\u001b[K');
  expect(narrow).toHaveLength(39 + '\u001b[K'.length);
  expect(rest).toEqual([]);
});

it('is a line for each table where nobody looks', () => {
  const screen = new Screen(false);
  const line = openProgress({ error: screen });
  for (const done of [0, 5000, 10_000]) line.show('copy', 'messages', rows(done));
  line.show('copy', 'tasks', rows(0, 0));
  line.show('check', 'messages', rows(10_000));
  line.end();
  expect(screen.text).toBe('messages: 10,000 rows\ntasks: 0 rows\n');
});
