import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, NO_TEXT, splitBlocks } from '../../web/src/markdown/blocks.ts';
import { isBeyondBounds } from '../../web/src/markdown/bounds.ts';
import { definitionsFor, definitionsOf } from '../../web/src/markdown/definitions.ts';
import { linkTarget } from '../../web/src/markdown/links.ts';
import { NOTHING_READ, readOn } from '../../web/src/markdown/segments.ts';
import { visibleText } from '../../web/src/markdown/visible-text.ts';
import { withEndsClosed } from '../../web/src/markdown/with-ends-closed.ts';

function texts(text: string): string[] {
  return splitBlocks(text).blocks.map((block) => `${block.kind}: ${block.text}`);
}

describe('blocks', () => {
  it.each<[string, string, string[]]>([
    ['paragraphs', 'one\ntwo\n\nthree\n', ['text: one\ntwo', 'text: three']],
    ['a list with gaps is one', '- a\n\n- b\n\n  more\n\nend', ['text: - a\n\n- b\n\n  more', 'text: end']],
    ['numbers', '1. a\n\n2. b\n\nend', ['text: 1. a\n\n2. b', 'text: end']],
    ['fences', 'x\n```js\na\n\nb\n```\ny', ['text: x', 'code: a\n\nb', 'text: y']],
    ['a longer fence', '````\n```\n````\n', ['code: ```']],
    ['a fence of an item is in it', '- a\n  ```\n  x\n\n  y\n  ```\n- b', ['text: - a\n  ```\n  x\n\n  y\n  ```\n- b']],
    ['a fence that is still open', '~~~py\nx = 1\n', ['code: x = 1\n']],
    ['an empty fence', '```\n```\nx', ['code: ', 'text: x']],
    ['an indented fence', '  ```\n  a\n    b\n  ```', ['code: a\n  b']],
    [
      'footnotes',
      'a[^1]\n\n[^1]: note\n    more\n[^b]: other',
      ['text: a[^1]', 'footnote: note\nmore', 'footnote: other'],
    ],
    ['code by its indent', 'x\n\n    a\n\n    b\n\nc', ['text: x', 'text:     a\n\n    b', 'text: c']],
    ['other line ends', 'a\r\n\r\nb\r\n```\r\nc\r\n```\r\n', ['text: a', 'text: b', 'code: c\r']],
  ])('%s', (_, text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  it('says the language of a fence, once its line is whole', () => {
    expect(splitBlocks('```type').blocks[0]).toMatchObject({ kind: 'code', language: '', text: '', isClosed: false });
    expect(splitBlocks('```typescript title="x"\na').blocks[0]).toMatchObject({ language: 'typescript', text: 'a' });
  });

  it('comes to the same whether a text grows or is there at once', () => {
    const pieces = fc.constantFrom(
      'a',
      '\n',
      '\n\n',
      '- ',
      '1. ',
      '2. ',
      '```',
      '~~~',
      '  ',
      '    ',
      '[^1]: ',
      '[a]: b',
      '> ',
      '\t',
      '\r\n',
      '#',
      '`',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        let grown = NO_TEXT;
        let text = '';
        for (const part of parts) {
          text += part;
          grown = splitBlocks(text, grown);
        }
        expect(grown.blocks).toEqual(splitBlocks(text).blocks);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps every block but the last while a text grows', () => {
    const text = '# A\n\nSome text\n\n- a\n- b\n\n```js\nx\n```\n\nThe end grows';
    let split = NO_TEXT;
    let before: readonly Block[] = [];
    for (let length = 1; length <= text.length; length++) {
      split = splitBlocks(text.slice(0, length), split);
      const kept = before.filter((block) => split.blocks.includes(block)).length;
      expect(kept).toBeGreaterThanOrEqual(before.length - 1);
      before = split.blocks;
    }
    expect(before).toHaveLength(5);
  });

  it('begins anew with another text', () => {
    const one = splitBlocks('first\n\nsecond\n\nthird');
    expect(splitBlocks('other\n\ntext', one).blocks.map(({ text }) => text)).toEqual(['other', 'text']);
  });

  it('divides a long list between its items, but not one whose numbers say nothing', () => {
    const list = (marker: (index: number) => string): string =>
      Array.from({ length: 500 }, (_, index) => `${marker(index)} an item with some text`).join('\n');
    expect(splitBlocks(list(() => '-')).blocks.length).toBeGreaterThan(3);
    expect(splitBlocks(list((index) => `${index + 1}.`)).blocks.length).toBeGreaterThan(3);
    expect(splitBlocks(list(() => '1.')).blocks).toHaveLength(1);
  });
});

describe('labels', () => {
  it('of one block mean the same in all others', () => {
    const { blocks } = splitBlocks(
      'See [the Docs] and [x][D], [none].\n\n[the  docs]: https://a.b/c "T"\n[d]: <https://d.e>\n\nA[^n]\n\n[^n]: note',
    );
    const all = definitionsOf(blocks, new Map());
    expect(definitionsFor(blocks[0]?.text ?? '', all)).toBe('\n\n[the  docs]: https://a.b/c "T"\n\n[d]: <https://d.e>');
    expect(definitionsFor('A[^n]', all)).toBe('\n\n[^n]: -');
    expect(definitionsFor('nothing', all)).toBe('');
    expect(definitionsOf([...blocks], all)).toBe(all);
  });
});

describe('links', () => {
  it.each([
    ['https://example.com/a', 'a page', 'https://example.com/a'],
    ['HTTPS://Example.com', 'a page', 'https://example.com/'],
    ['mailto:a@b.example', 'a@b.example', 'mailto:a@b.example'],
    ['http://example.com:8080/x', 'example.com', 'http://example.com:8080/x'],
    ['https://example.com/', 'Watch \u25b6\ufe0f it', 'https://example.com/'],
    ['https://www.example.com/x', 'https://example.com/x/y.html?z=node.js', 'https://www.example.com/x'],
  ])('%s as “%s” is plain', (address, text, href) => {
    expect(linkTarget(address, text)).toEqual({ href, warning: undefined });
  });

  it.each([
    ['https://evil.example/', 'https://good.example/login', 'evil.example'],
    ['https://evil.example/', 'Log in at good.example now', 'evil.example'],
    ['https://good.example@evil.example/', 'good', 'evil.example'],
    ['https://good.example.evil.example/', 'good.example', 'good.example.evil.example'],
    ['https://gооd.example/', 'good.example', 'xn--gd-fmca.example'],
    ['https://evil.example/', 'good。example', 'evil.example'],
    ['https://evil.example/', '\u202eelpmaxe.doog', 'evil.example'],
    ['https://evil.example/', 'good\u200b.example', 'evil.example'],
    ['https://evil.example/', 'good.exam\ufe00ple', 'evil.example'],
    ['https://evil.example/', 'good.exa\u034fmple', 'evil.example'],
    ['https://evil.example/', 'good.exam\u{e0061}ple', 'evil.example'],
    ['https://evil.example/', ' ', 'evil.example'],
    ['mailto:evil@evil.example', 'good@good.example', 'evil@evil.example'],
  ])('%s as “%s” says where it leads', (address, text, warning) => {
    expect(linkTarget(address, text)?.warning).toBe(warning);
  });

  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://a.b/c',
    '#/settings',
    '/api/auth/logout',
    '//evil.example',
    'https:evil.example',
    'https://',
    'http://[',
    `https://a.b/${'x'.repeat(9000)}`,
  ])('%j is none', (address) => {
    expect(linkTarget(address, 'text')).toBeUndefined();
  });
});

describe('bounds', () => {
  it.each([
    ['quotes', '>'.repeat(10_000)],
    ['quotes with gaps', `${'> '.repeat(60)}a`],
    ['lists', `${'- '.repeat(10_000)}a`],
    ['brackets', '['.repeat(10_000)],
    ['pictures', `${'!['.repeat(100)}a${']()'.repeat(100)}`],
    ['emphasis', `${'*'.repeat(5000)}a${'*'.repeat(5000)}`],
    ['references', '[a][b] '.repeat(2000)],
    ['emphases within each other', '*a _b '.repeat(300)],
    ['length', 'word '.repeat(10_000)],
  ])('%s are plain text', (_, text) => {
    expect(isBeyondBounds(text)).toBe(true);
  });

  it.each([
    ['a rule', `text\n\n${'*'.repeat(200)}`],
    ['a heading under which is a line', `Title\n${'_'.repeat(200)}`],
    ['links', '[a](https://a.b) '.repeat(400)],
    ['nested lists', Array.from({ length: 20 }, (_, depth) => `${'  '.repeat(depth)}- a`).join('\n')],
  ])('%s is within them', (_, text) => {
    expect(isBeyondBounds(text)).toBe(false);
  });
});

describe('code', () => {
  const byComments = (text: string): { text: string; kind: string | undefined }[] =>
    text
      .split(/(\/\*[\s\S]*?(?:\*\/|$))/)
      .map((piece) => ({ text: piece, kind: piece.startsWith('/*') ? 'comment' : undefined }));

  it('is read in pieces, each once, and none begins within a comment', () => {
    const text = `${'a\n'.repeat(40)}/*${'c\n'.repeat(60)}*/\n${'b\n'.repeat(300)}end`;
    let reading = NOTHING_READ;
    for (let length = 0; length <= text.length; length += 7) {
      const shorter = text.slice(0, length);
      const before = reading.done;
      reading = readOn(reading, shorter, shorter.lastIndexOf('\n') + 1, 'x', byComments);
      expect(reading.done.slice(0, before.length)).toEqual(before);
    }
    for (;;) {
      const next = readOn(reading, text, text.length, 'x', byComments);
      if (next === reading) break;
      reading = next;
    }
    const spans = [...reading.done, ...(reading.open ? [reading.open] : [])].flatMap((segment) => segment.spans);
    expect(spans.map((span) => span.text).join('')).toBe(text);
    expect(spans.filter(({ kind }) => kind === 'comment')).toHaveLength(1);
    expect(reading.done.length).toBeGreaterThan(3);
  });

  it('shows what would hide in it, and leaves terminal escapes out', () => {
    expect(visibleText('\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u001b]8;;https://a.b\u001b\\y')).toBe('red xy');
    expect(visibleText('a\u0007b\u0000c\u001b')).toBe('a^Gb^@c^[');
    expect(visibleText('10%\r20%\r\nok')).toBe('10%\n20%\nok');
    expect(visibleText('if (a\u202e \u2066b)')).toBe('if (a‹U+202E› ‹U+2066›b)');
    const plain = 'tab\tand äöü 漢字 👍\n';
    expect(visibleText(plain)).toBe(plain);
  });
});

describe('the end of a growing text', () => {
  it.each([
    ['some **bold te', 'some **bold te**'],
    ['some **', 'some'],
    ['a `code', 'a `code`'],
    ['see [the doc', 'see the doc'],
    ['see [the docs](https://exa', 'see the docs'],
    ['**whole** and `code`', '**whole** and `code`'],
    ['- a\n  ```js\n  x ** y', '- a\n  ```js\n  x ** y'],
  ])('%j is shown as %j', (text, expected) => {
    expect(withEndsClosed(text)).toBe(expected);
  });
});
