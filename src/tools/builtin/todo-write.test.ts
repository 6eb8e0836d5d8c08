import { describe, expect, it } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import { todoWrite } from './todo-write.ts';

const write = (todos: unknown) => todoWrite.run({ todos }, toolContext());

describe('todo_write', () => {
  it('gives the list back, with what is done', async () => {
    const todos = [
      { content: 'Read', status: 'completed' },
      { content: 'Think', status: 'in_progress' },
      { content: 'Write', status: 'pending' },
    ];
    expect(await write(todos)).toEqual({ text: '1 of 3 are done:\n[x] Read\n[>] Think\n[ ] Write', isError: false });
  });

  it('takes an empty list', async () => {
    expect(await write([])).toEqual({ text: 'The list is empty.', isError: false });
  });

  it('has one line for each item', async () => {
    const content = 'a\n[x] b\r\n\tc\u2028d';
    expect(await write([{ content, status: 'pending' }])).toMatchObject({ text: '0 of 1 are done:\n[ ] a [x] b c d' });
  });

  it.each([
    ['no list', undefined],
    ['an item that is nothing', [{ content: '', status: 'pending' }]],
    ['a status that there is not', [{ content: 'x', status: 'done' }]],
    ['more than can be kept in mind', Array(101).fill({ content: 'x', status: 'pending' })],
    ['a story', [{ content: 'x'.repeat(501), status: 'pending' }]],
  ])('refuses %s', async (_, todos) => {
    expect(await write(todos)).toEqual({ text: expect.stringContaining('The arguments do not fit: '), isError: true });
  });
});
