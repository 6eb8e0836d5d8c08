import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { MarkdownPieces } from './chat-markdown.ts';
import { type Style, styleOf } from './style.ts';

const STYLE: Style = {
  ...styleOf(new PassThrough()),
  bold: (text) => (text === '' ? '' : `<b>${text}</b>`),
  dim: (text) => (text === '' ? '' : `<i>${text}</i>`),
};
const TEXT = '# Title\nplain #1\n```ts\n# no heading\n```\n## Next\n####### seven\n#nothing\n\n``';
const SHOWN =
  '<b># Title</b>\nplain #1\n<i>```ts</i>\n# no heading\n<i>```</i>\n<b>## Next</b>\n####### seven\n#nothing\n\n``';

it('makes headings bold and fences dim, however the text is cut into pieces', () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const markdown = new MarkdownPieces(STYLE);
    let out = '';
    for (let at = 0; at < TEXT.length; at += size) out += markdown.add(TEXT.slice(at, at + size));
    expect((out + markdown.end()).replaceAll('</b><b>', '').replaceAll('</i><i>', '')).toBe(SHOWN);
  }
});

it('adds nothing where no terminal is', () => {
  expect(new MarkdownPieces(styleOf(new PassThrough())).add('# Title\n')).toBe('# Title\n');
});
