import { describe, expect, it } from 'vitest';
import { compileExpression, searchLines } from './line-search.ts';

const OPTIONS = { limit: 10, context: 0, signal: new AbortController().signal };

describe('searchLines', () => {
  it('lets others have a turn, and ends in the middle of a text when it is aborted', async () => {
    const expression = await compileExpression('y', false);
    const stopped = new AbortController();
    const text = 'x\n'.repeat(200_000).concat('y');
    expect(await searchLines(text, expression, OPTIONS)).toEqual([{ number: 200_001, text: 'y', isMatch: true }]);
    const searching = searchLines(text, expression, { ...OPTIONS, signal: stopped.signal });
    stopped.abort(new Error('enough'));
    await expect(searching).rejects.toThrow('enough');
  });

  it.each([
    ['', []],
    ['\n', [1]],
    ['\n\n', [1, 2]],
    ['a\n\nb', [2]],
    ['\r\n', [1]],
  ])('finds the empty lines of %j', async (text, numbers) => {
    const found = await searchLines(text, await compileExpression('^$', false), OPTIONS);
    expect(found.map(({ number }) => number)).toEqual(numbers);
  });
});
