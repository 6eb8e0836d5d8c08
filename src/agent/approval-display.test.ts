import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayOf } from './approval-display.ts';

describe('a call as a person reads it', () => {
  it('is the tool, and an argument a line', () => {
    const given = { command: 'ls "a b"', timeout: 5, deep: false, none: null };
    expect(displayOf('exec', given)).toBe('exec\ncommand: "ls \\"a b\\""\ntimeout: 5\ndeep: false\nnone: null');
    expect(displayOf('exec', {})).toBe('exec');
  });

  it('has what is of several lines below its name, each line marked', () => {
    const given = { content: 'one\n  two\n\nfour\n', edits: [{ old: 'a\nb' }] };
    expect(displayOf('edit', given).split('\n')).toEqual([
      ...['edit', 'content:', '  | one', '  |   two', '  |', '  | four', '  |'],
      ...['edits:', '  | [', '  |   {', '  |     "old": "a\\nb"', '  |   }', '  | ]'],
    ]);
  });

  it.each([
    ['bidi overrides', 'a\u202eb\u2066', '"a\\u{202e}b\\u{2066}"'],
    ['zero width, joiners too', 'a\u200bb\u200dc\ufeff', '"a\\u{200b}b\\u{200d}c\\u{feff}"'],
    ['tags', 'x\u{e0041}', '"x\\u{e0041}"'],
    ['variation selectors and fillers', 'x\ufe01\u3164\u2800', '"x\\u{fe01}\\u{3164}\\u{2800}"'],
    ['escapes and control characters', '\u001b[2K\u0000\u0007\u009b\r\t', '"\\u{1b}[2K\\u{0}\\u{7}\\u{9b}\\r\\t"'],
    ['spaces that are none', 'rm\u00a0-rf\u2003/\u2028', '"rm\\u{a0}-rf\\u{2003}/\\u{2028}"'],
    ['half a character, and one of nobody', '\ud83d \ue000', '"\\u{d83d} \\u{e000}"'],
    ['heaps of accents', `e${'\u0301'.repeat(5)}`, `"e${'\u0301'.repeat(3)}\\u{301}\\u{301}"`],
    ['what only looks written out', '\\u{202e} \\{9 spaces}', '"\\\\u{202e} \\\\{9 spaces}"'],
  ])('shows %s', (_, text, shown) => {
    expect(displayOf('exec', { command: text })).toBe(`exec\ncommand: ${shown}`);
    // In a name, in a line, in a list: everywhere.
    for (const display of [displayOf(text, {}), displayOf('x', { [`${text}!`]: 1 }), displayOf('x', { a: [text] })])
      expect(display).not.toMatch(/(?![\n ])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Z}\u2800\u3164]/u);
  });

  it('counts gaps that would push something out of sight', () => {
    expect(displayOf('exec', { command: `ls${' '.repeat(500)}; rm x` })).toBe(
      'exec\ncommand: "ls\\{500 spaces}; rm x"',
    );
    expect(displayOf('exec', { command: `ls${'\n'.repeat(500)}rm x` })).toBe(
      'exec\ncommand:\n  | ls\n  \\{499 blank lines}\n  | rm x',
    );
    expect(displayOf('exec', { command: `ls\n${' \t\n'.repeat(50)}rm x` })).toContain('\\{50 blank lines}');
  });

  it('says that it is cut, at its beginning and where', () => {
    const long = displayOf('write_file', { path: 'a', content: `${'x'.repeat(50_000)}; rm -rf /` });
    expect(long).toMatch(
      /^\(This is not all: .*\)\nwrite_file\npath: "a"\ncontent: "x+" \\\{\d+ characters are left out here\} "x+; rm -rf \/"$/,
    );
    const lines = displayOf('write_file', { content: 'line\n'.repeat(50_000), end: 'here' });
    expect(lines).toMatch(/^\(This is not all/);
    expect(lines).toContain('\n\\{');
    expect(lines).toMatch(/\nend: "here"$/);
    const many = displayOf('x', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`a${i}`, i])));
    expect(many).toMatch(
      /^\(This is not all.*\nx\na0: 0\n(?:.|\n)*\n\\\{more is left out here\}\n(?:.|\n)*a4999: 4999$/,
    );
    // Also where what is left out stands beside what looks like it.
    const slash = displayOf('exec', { command: `${'x'.repeat(1999)}\\${'y'.repeat(6000)}` });
    expect(slash).toMatch(
      /^\(This is not all: .*\)\nexec\ncommand: "x+\\\\" \\\{4000 characters are left out here\} "y+"$/,
    );
    for (const display of [
      displayOf('exec', { ['\\'.repeat(5000)]: 1 }),
      displayOf('exec', { a: ['\\'.repeat(5000)] }),
    ])
      expect(display).toMatch(/^\(This is not all: /);
    for (const display of [long, lines, many]) expect(display.length).toBeLessThan(8200);
    // What a model writes cannot say so.
    expect(displayOf('x', { a: '\\{5 characters are left out here}' })).toBe(
      'x\na: "\\\\{5 characters are left out here}"',
    );
  });

  it('tells any two calls apart that are not too long, and has nothing invisible in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a', 'a ', 'a\n', '"', '\\', '\\"', '\\n', '| a', 'a\n  | b', 'a\n \nb', '\n'),
    );
    const given = fc.dictionary(
      fc.constantFrom('a', 'b', 'a: "x"\nb'),
      fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text)),
    );
    fc.assert(
      fc.property(given, given, (one, other) => {
        const [first, second] = [displayOf('tool', { ...one }), displayOf('tool', { ...other })];
        // biome-ignore format: one line
        expect(first).not.toMatch(/(?![\n ])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u);
        if (JSON.stringify(one) !== JSON.stringify(other)) expect(first).not.toBe(second);
      }),
      { numRuns: 3000 },
    );
  });
});
