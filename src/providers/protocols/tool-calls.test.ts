import { describe, expect, it } from 'vitest';
import { parseArguments, ToolCallGatherer, type ToolCallPiece, wholeCall } from './tool-calls.ts';

function gather(...pieces: Partial<ToolCallPiece>[]) {
  const gatherer = new ToolCallGatherer();
  for (const piece of pieces) gatherer.add({ id: '', index: undefined, name: '', arguments: undefined, ...piece });
  return gatherer.finish().map((call) => [call.id, call.name, call.arguments]);
}

describe('ToolCallGatherer', () => {
  it('joins pieces by index, interleaved', () => {
    expect(
      gather(
        { index: 0, id: 'a', name: 'f', arguments: '' },
        { index: 1, id: 'b', name: 'g', arguments: '{"n"' },
        { index: 0, arguments: '{"m":1}' },
        { index: 1, arguments: ':2}' },
      ),
    ).toEqual([
      ['a', 'f', { m: 1 }],
      ['b', 'g', { n: 2 }],
    ]);
  });

  it('joins pieces by id before index, and by order where there is neither', () => {
    expect(
      gather(
        { index: 0, id: 'a', name: 'f', arguments: '{"m":' },
        { index: 0, id: 'b', name: 'g', arguments: '{"n":' },
        { index: 0, id: 'a', arguments: '1}' },
        { arguments: '2}' },
      ),
    ).toEqual([
      ['a', 'f', { m: 1 }],
      ['b', 'g', { n: 2 }],
    ]);
  });

  it('joins pieces by index where all that follow have one id', () => {
    expect(
      gather(
        { index: 0, id: 'a', name: 'f', arguments: '' },
        { index: 0, id: 'null', arguments: '{"m":' },
        { index: 1, id: 'b', name: 'g', arguments: '' },
        { index: 1, id: 'null', arguments: '{"n":2}' },
        { index: 0, id: 'null', arguments: '1}' },
      ),
    ).toEqual([
      ['a', 'f', { m: 1 }],
      ['b', 'g', { n: 2 }],
    ]);
  });

  it('joins pieces by id where their indexes run on', () => {
    expect(
      gather({ index: 0, id: 'a', name: 'f', arguments: '{"n"' }, { index: 1, id: 'a', arguments: ':1}' }),
    ).toEqual([['a', 'f', { n: 1 }]]);
  });

  it('tells calls without id and arguments apart by their names', () => {
    const calls = gather({ name: 'f', arguments: '' }, { index: 0, name: 'g' }, { index: 0, name: 'h' });
    expect(calls.map(([, name]) => name)).toEqual(['f', 'g', 'h']);
  });

  it('keeps apart whole calls that all have the index 0 and no id', () => {
    const calls = gather(
      { index: 0, name: 'f', arguments: '{"n":1}' },
      { index: 0, name: 'f', arguments: '{"n":2}' },
      { name: 'f', arguments: { n: 3 } },
    );
    expect(calls.map(([, , args]) => args)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(new Set(calls.map(([id]) => id)).size).toBe(3);
  });

  it('takes a name and id repeated in every piece for one call', () => {
    expect(
      gather({ index: 0, id: 'a', name: 'f', arguments: '{"n"' }, { index: 0, id: 'a', name: 'f', arguments: ':1}' }),
    ).toEqual([['a', 'f', { n: 1 }]]);
  });

  it('keeps apart calls of one id, and gives them ids that differ', () => {
    const calls = gather(
      { index: 0, id: 'a', name: 'f', arguments: '{"n":1}' },
      { index: 1, id: 'a', name: 'f', arguments: '{"n":1}' },
      { index: 0, id: 'a', name: 'f', arguments: '{"n":2}' },
    );
    expect(calls.map(([, , args]) => args)).toEqual([{ n: 1 }, { n: 1 }, { n: 2 }]);
    expect(new Set(calls.map(([id]) => id)).size).toBe(3);
  });

  it('takes a whole call that is told once more, or named once more, for one call', () => {
    const whole = { index: 0, id: 'a', name: 'f', arguments: '{"n":1}' };
    for (const again of [whole, { ...whole, arguments: ' ' }, { index: 0, name: 'f', arguments: '' }]) {
      expect(gather(whole, again)).toEqual([['a', 'f', { n: 1 }]]);
    }
  });

  it('drops what never got a name', () => {
    expect(gather({ index: 0, id: 'a', arguments: '{}' })).toEqual([]);
  });
});

describe('parseArguments', () => {
  it.each([
    ['', {}],
    [' null ', {}],
    ['"null"', {}],
    ['{"n":1}', { n: 1 }],
    ['"{\\"n\\":1}"', { n: 1 }],
  ])('reads %j', (text, args) => {
    expect(parseArguments(text)).toEqual({ arguments: args });
  });

  it.each(['{"n":', '[1]', '"words"', '5'])('keeps %j, which is no object, as it was written', (text) => {
    expect(parseArguments(text)).toEqual({ arguments: {}, invalidArguments: text });
  });
});

describe('wholeCall', () => {
  it('takes arguments in any form and makes an id', () => {
    expect(wholeCall('a', 'f', { n: 1 })).toEqual({ id: 'a', name: 'f', arguments: { n: 1 } });
    expect(wholeCall('a', 'f', '{"n":1}')).toEqual({ id: 'a', name: 'f', arguments: { n: 1 } });
    expect(wholeCall('', 'f', undefined)).toEqual({ id: expect.stringMatching(/^call_/), name: 'f', arguments: {} });
    expect(wholeCall('a', 'f', [1])).toEqual({ id: 'a', name: 'f', arguments: {}, invalidArguments: '[1]' });
  });
});

describe('arguments nested too deeply to be written again', () => {
  const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

  it.each([
    ['as text', deep],
    ['as an object', JSON.parse(deep)],
  ])('%s are invalid ones', (_, args) => {
    const call = wholeCall('c', 'f', args);
    expect(call.arguments).toEqual({});
    expect(call.invalidArguments).toMatch(/nested/);
  });
});
