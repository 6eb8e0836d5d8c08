import { describe, expect, it } from 'vitest';
import { decodeText } from './decode-text.ts';

const bytes = (text: string, encoding: BufferEncoding = 'latin1'): Uint8Array => Buffer.from(text, encoding);

describe('decodeText', () => {
  it.each<[string, string, Uint8Array, string]>([
    ['the header', 'text/html; charset=iso-8859-1', bytes('caf\xe9'), 'café'],
    ['the header in quotes', 'text/html;Charset="windows-1251"', bytes('\xef\xf0'), 'пр'],
    [
      'the header before the page',
      'text/html; charset=utf-8',
      bytes('<meta charset=latin1>é', 'utf8'),
      '<meta charset=latin1>é',
    ],
    ['the page', 'text/html', bytes('<meta charset="shift_jis">\x83\x65'), '<meta charset="shift_jis">テ'],
    [
      'the page as of old',
      '',
      bytes('<META http-equiv=x content="text/html; charset=koi8-r">\xd0'),
      '<META http-equiv=x content="text/html; charset=koi8-r">п',
    ],
    [
      'the declaration',
      'text/xml',
      bytes('<?xml version="1.0" encoding="iso-8859-2"?>\xb1'),
      '<?xml version="1.0" encoding="iso-8859-2"?>ą',
    ],
    ['the mark before the header', 'text/plain; charset=latin1', bytes('\xef\xbb\xbfé', 'latin1'), '\ufffd'],
    ['a mark of UTF-16', 'text/plain', bytes('\ufeffhé', 'utf16le'), 'hé'],
    ['nothing', 'text/plain', bytes('é', 'utf8'), 'é'],
    [
      'a page that says what it cannot be',
      'text/html',
      bytes('<meta charset=utf-16>é', 'utf8'),
      '<meta charset=utf-16>é',
    ],
    ['an encoding that there is not', 'text/html; charset=klingon', bytes('é', 'utf8'), 'é'],
  ])('goes by %s', (_, type, given, text) => {
    expect(decodeText(given, type)).toBe(text);
  });
});
