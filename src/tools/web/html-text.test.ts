import { describe, expect, it } from 'vitest';
import { htmlText } from './html-text.ts';

const read = async (html: string): Promise<string> => (await htmlText(html, 'https://site.test/dir/page')).text;

describe('htmlText', () => {
  it('reads a page', async () => {
    const page = await htmlText(
      `<!DOCTYPE html><html><head><title>Cats &amp;
        dogs</title><style>p { color: red }</style></head>
      <body><h1>All <em>about</em> cats</h1>
      <p>A <a href="../cat?a=1&amp;b=2">cat</a>, and<br>its&nbsp;tail.
      <p>Try <code>purr --loud</code>.
      <ul><li>one<li>two<ul><li>inner</ul><li>three</ul>
      <ol start="3"><li>x</li><li>y</li></ol>
      <table><tr><th>A<th>B<tr><td>1<td>2</table>
      <pre>
  keep
    this</pre>
      <hr><img src="x.png" alt="A cat"> end</body></html>`,
      'https://site.test/dir/page',
    );
    expect(page.title).toBe('Cats & dogs');
    expect(page.text.split('\n')).toEqual([
      '# All about cats',
      '',
      'A [cat](https://site.test/cat?a=1&b=2), and',
      'its tail.',
      '',
      'Try `purr --loud`.',
      '',
      '- one',
      '- two',
      '  - inner',
      '- three',
      '',
      '3. x',
      '4. y',
      '',
      '| A | B',
      '| 1 | 2',
      '',
      '```',
      '',
      '  keep',
      '    this',
      '```',
      '',
      '---',
      '',
      '[image: A cat] end',
    ]);
  });

  it.each([
    ['a script', 'a<script>if (1 < 2) "</p>"</script>b', 'ab'],
    ['a script in capitals', 'a<SCRIPT>x</ScRiPt >b', 'ab'],
    ['a style', 'a<style>b{}</style>c', 'ac'],
    ['a comment', 'a<!-- b --><!-->c<!-- > -- --!>d', 'acd'],
    ['a template', 'a<template>b<b>c</b></template>d', 'ad'],
    ['a drawing', 'a<svg><title>t</title><text>b</text></svg>c', 'ac'],
    ['a hidden element, and all in it', 'a<div hidden>b<div>c</div>d</div>e', 'ae'],
    ['a hidden element that ends by itself', '<p hidden>a<div>b</div>', 'b'],
    ['a hidden item', '<ul><li>a<li hidden>b<li>c</ul>', '- a\n- c'],
    ['a hidden cell', '<table><tr><td>a<td hidden>b<td>c</table>', '| a | c'],
    ['a hidden list', 'a<ol hidden><li>x</ol><ol><li>y</ol>', 'a\n\n1. y'],
    ['a hidden code', 'a<pre hidden>b</pre>c', 'ac'],
    ['by its style: display', 'a<b style="color:red;DISPLAY : none">b</b>c', 'ac'],
    ['by its style: visibility', 'a<b style="visibility:hidden">b</b>c', 'ac'],
    ['by its style: opacity', 'a<b style="opacity:0">b</b>c', 'ac'],
    ['by its style: size', 'a<b style="font-size:0px;">b</b>c', 'ac'],
    ['the choices of a list', 'a<select><option>b<option>c</select>d', 'ad'],
    ['what never ends', 'a<div hidden>b', 'a'],
    ['a comment that never ends', 'a<!-- b', 'a'],
    ['a tag that never ends', 'a<b title="c d', 'a'],
  ])('leaves out %s', async (_, html, text) => {
    expect(await read(html)).toBe(text);
  });

  it.each([
    ['<b style="opacity:0.5">seen</b>', 'seen'],
    ['<b style="font-size:0.9em">seen</b>', 'seen'],
    ['<b style="display:block">seen</b>', 'seen'],
    ['<b title="hidden" data-x=hidden>seen</b>', 'seen'],
    ['<br hidden>seen', 'seen'],
    ['<noscript>seen</noscript>', 'seen'],
    ['</div></b>seen', 'seen'],
    ['1 < 2 & 3 <4 </ 5>', '1 < 2 & 3 <4'],
  ])('shows %s', async (html, text) => {
    expect(await read(html)).toBe(text);
  });

  it.each([
    ['<a href="/x">a</a>', '[a](https://site.test/x)'],
    ["<A HREF='x y'> a <b>b</b> </A>c", '[a b](https://site.test/dir/x%20y) c'],
    ['<a href=//other.test/a(b)>a</a>', '[a](https://other.test/a%28b%29)'],
    ['<a href="mailto:a@b.test">a</a>', '[a](mailto:a@b.test)'],
    ['<a href="javascript:alert(1)">a</a>', 'a'],
    ['<a href="data:text/html,x">a</a>', 'a'],
    ['<a href="file:///etc/passwd">a</a>', 'a'],
    ['<a href="#part">a</a>', 'a'],
    ['<a href="/x"> </a>b', 'b'],
    ['<a href="/x">a<a href="/y">b</a>', '[a](https://site.test/x)[b](https://site.test/y)'],
    ['<a href="/x">never ends', '[never ends](https://site.test/x)'],
    ['<a href="/x" hidden>a</a>b', 'b'],
    ['<base href="https://base.test/b/"><a href="x">a</a>', '[a](https://base.test/b/x)'],
    ['<a href="http://[">a</a>', 'a'],
  ])('makes of %s %s', async (html, text) => {
    expect(await read(html)).toBe(text);
  });

  it.each([
    ['&lt;b&gt; &amp;amp; &quot;&apos;&copy;&eacute;&hellip;&hearts;', '<b> &amp; "\'©é…♥'],
    ['&#65;&#x42;&#X43;&#128512;&#150;', 'ABC😀–'],
    ['&#0;&#xd800;&#x110000;&#99999999999;', '\ufffd\ufffd\ufffd\ufffd'],
    ['&nothing; &amp &lt', '&nothing; &amp &lt'],
  ])('reads %s as %s', async (html, text) => {
    expect(await read(html)).toBe(text);
  });

  it.each([
    ['tags', '<b>'],
    ['ends', '</b>'],
    ['items', '<ul><li>'],
    ['links', '<a href=/x>'],
    ['half quotes', `<a x='`],
    ['other half quotes', `<a x="'`],
    ['half comments', '<!--'],
    ['half scripts', '<script'],
    ['brackets', '<'],
    ['half references', '&a'],
    ['attributes', '<a b =c '],
    ['blanks in tags', '<a   '],
    ['blanks in styles', '<a style="display:    '],
  ])('takes a page of %s in a time that grows with its length', async (_, piece) => {
    // Where the time grew with the square of the length, half a million characters would take minutes.
    const page = piece.repeat(Math.ceil(500_000 / piece.length));
    expect(typeof (await read(page))).toBe('string');
  });

  it('lets others have their turn, and can be stopped', async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort(new Error('enough')));
    await expect(htmlText('<b>'.repeat(500_000), 'https://site.test/', stop.signal)).rejects.toThrow();
  });
});
