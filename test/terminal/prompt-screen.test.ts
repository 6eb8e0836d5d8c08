import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Screen } from '../../src/cli/prompt-screen.ts';
import { TestScreen } from './screen.ts';

/** A screen, and what a person sees of it. */
function open(isTTY = true): { screen: Screen; seen: () => string; output: () => string } {
  const terminal = new TestScreen(40);
  const written: string[] = [];
  const stream = (isAnswer: boolean) =>
    Object.assign(new PassThrough(), {
      isTTY,
      columns: 40,
      // As a terminal does.
      write: (text: string) => {
        if (isAnswer) written.push(text);
        terminal.write(text.replaceAll('\n', '\r\n'));
        return true;
      },
    });
  const screen = new Screen({ output: stream(true), error: stream(false) });
  return { screen, seen: () => terminal.text(), output: () => written.join('') };
}

const TYPED = { rows: ['» hur', 'ry'], row: 1, column: 2 };

it('keeps back what is said while something is typed, and then says all of it in order', () => {
  const { screen, seen } = open();
  screen.answer('One ');
  screen.input(TYPED);
  screen.answer('two');
  screen.line('aside');
  expect(seen()).toBe('One \n» hur\nry');
  screen.input({ rows: ['» hu'], row: 0, column: 4 });
  expect(seen()).toBe('One \n» hu');
  screen.keepInput();
  expect(seen()).toBe('One \n» hu\ntwo\naside\n');
});

it('leaves nothing of what is taken back', () => {
  const { screen, seen } = open();
  screen.line('Before');
  screen.input(TYPED);
  screen.input(undefined);
  expect(seen()).toBe('Before\n');
});

it('has one line for what is going on, below all else and not within a line', () => {
  const { screen, seen, output } = open();
  screen.status('working… 1 s');
  screen.status('working… 2 s');
  expect(seen()).toBe('working… 2 s');
  screen.line('Done one');
  screen.input(undefined);
  expect(seen()).toBe('Done one\nworking… 2 s');
  screen.answer('An ans');
  expect(seen()).toBe('Done one\nAn ans');
  screen.answer('wer\n');
  expect(seen()).toBe('Done one\nAn answer\nworking… 2 s');
  screen.input(TYPED);
  expect(seen()).toBe('Done one\nAn answer\n» hur\nry');
  screen.keepInput();
  screen.status('');
  expect(seen()).toBe('Done one\nAn answer\n» hur\nry\n');
  expect(output()).toBe('An answer\n');
});

it('says nothing of what is going on where no terminal is', () => {
  const { screen, seen } = open(false);
  screen.status('working… 1 s');
  screen.line('Done');
  expect(seen()).toBe('Done\n');
});
