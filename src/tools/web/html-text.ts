import { setImmediate } from 'node:timers/promises';
import { htmlTokens } from './html-tokens.ts';
import { OpenElements } from './open-elements.ts';
import { TextWriter } from './text-writer.ts';

/** What a page says. */
export interface PageText {
  /** One line; '' if it has none. */
  title: string;
  /** Blocks apart by empty lines; headings, lists, code and links as Markdown has them. */
  text: string;
}

/** What no reader sees. */
const UNSEEN = new Set(
  'script style template head iframe object noembed noframes canvas audio video svg select datalist textarea dialog'.split(
    ' ',
  ),
);

/** How far apart from their surroundings elements stand. */
const BREAKS: ReadonlyMap<string, 1 | 2> = new Map([
  ...'p h1 h2 h3 h4 h5 h6 dl table blockquote pre figure hr section article main header footer nav aside form'
    .split(' ')
    .map((name) => [name, 2] as const),
  ...'div li dt dd tr br address figcaption caption summary details fieldset legend option center body'
    .split(' ')
    .map((name) => [name, 1] as const),
]);

const HIDING =
  /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:opacity|font-size)\s*:\s*0(?:\.0*)?[a-z%]*\s*(?:[;!]|$))/i;
const LINKS = new Set(['http:', 'https:', 'mailto:']);
const MAX_URL = 2000;
const MAX_TITLE = 300;
const MAX_LIST_DEPTH = 10;
const TOKENS_AT_ONCE = 5000;

/**
 * Turns HTML into readable text. What a reader would not see is left out: scripts, styles, and what is hidden by an
 * attribute or its own style; not what a style sheet hides.
 * Lets others have their turn meanwhile: a page of nothing but tags takes seconds.
 * @param base where it is from: links are shown as absolute ones.
 * @throws why the signal was aborted.
 */
export async function htmlText(html: string, base: string, signal?: AbortSignal): Promise<PageText> {
  const page = new Page(base);
  let count = 0;
  for (const token of htmlTokens(html)) {
    if (++count % TOKENS_AT_ONCE === 0) await setImmediate(undefined, { signal });
    if (token.kind === 'text') page.text(token.text);
    else if (token.kind === 'open') page.open(token.name, token.attributes);
    else page.close(token.name);
  }
  return page.read();
}

class Page {
  readonly #elements = new OpenElements();
  readonly #writer = new TextWriter();
  #base: string;
  #title = '';
  #href: string | undefined;
  /** Of each list that is open, the number of the next item; undefined: they have none. */
  readonly #lists: (number | undefined)[] = [];

  constructor(base: string) {
    this.#base = base;
  }

  text(text: string): void {
    if (this.#elements.count('title') > 0 && this.#elements.count('svg') === 0) {
      if (this.#title === '') this.#title = text.trim().replace(/\s+/g, ' ').slice(0, MAX_TITLE);
    } else if (this.#elements.isHidden) return;
    else if (this.#elements.count('pre') > 0) this.#writer.writeRaw(text);
    else this.#writer.write(text);
  }

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    const isHidden = UNSEEN.has(name) || isHiddenBy(attributes);
    for (const ended of this.#elements.open(name, isHidden)) this.#end(ended);
    if (name === 'base') this.#base = this.#absolute(attributes.get('href')) ?? this.#base;
    if (isHidden || this.#elements.isHidden) return;
    const breaks = BREAKS.get(name);
    if (breaks !== undefined) this.#writer.break(breaks);
    this.#begin(name, attributes);
  }

  close(name: string): void {
    for (const ended of this.#elements.close(name)) this.#end(ended);
  }

  read(): PageText {
    this.#endLink();
    return { title: this.#title, text: this.#writer.toString().trim() };
  }

  #begin(name: string, attributes: ReadonlyMap<string, string>): void {
    if (/^h[1-6]$/.test(name)) this.#writer.write(`${'#'.repeat(Number(name[1]))} `);
    else if (name === 'ul' || name === 'ol') this.#beginList(name, attributes.get('start'));
    else if (name === 'li') this.#beginItem();
    else if (name === 'td' || name === 'th') this.#writer.write(' | ');
    else if (name === 'hr') this.#line();
    else if (name === 'pre') this.#writer.writeRaw('```\n');
    else if (name === 'code' && this.#elements.count('pre') === 0) this.#writer.write('`');
    else if (name === 'img') this.#image(attributes.get('alt'));
    else if (name === 'a') this.#beginLink(attributes.get('href'));
  }

  #end(name: string): void {
    if (name === 'ul' || name === 'ol') this.#endList();
    else if (name === 'a') this.#endLink();
    else if (name === 'pre') this.#writer.writeRaw('\n```');
    else if (name === 'code' && this.#elements.count('pre') === 0) this.#writer.write('`');
    const breaks = BREAKS.get(name);
    if (breaks !== undefined) this.#writer.break(breaks);
  }

  #beginList(name: 'ul' | 'ol', start = '1'): void {
    const first = Number.parseInt(start, 10);
    this.#breakList();
    this.#lists.push(name === 'ul' || Number.isNaN(first) ? undefined : first);
    this.#indentLists();
  }

  #beginItem(): void {
    const number = this.#lists.at(-1);
    this.#writer.write(number === undefined ? '- ' : `${number}. `);
    if (number !== undefined) this.#lists[this.#lists.length - 1] = number + 1;
  }

  #endList(): void {
    this.#lists.pop();
    this.#breakList();
    this.#indentLists();
  }

  /** A list within a list goes on with it. */
  #breakList(): void {
    this.#writer.break(this.#lists.length === 0 ? 2 : 1);
  }

  #indentLists(): void {
    const outer = Math.max(0, this.#lists.length - 1);
    this.#writer.indent = 2 * Math.min(outer, MAX_LIST_DEPTH);
  }

  #line(): void {
    this.#writer.write('---');
    this.#writer.break(2);
  }

  #image(alt = ''): void {
    const said = alt.trim().replace(/\s+/g, ' ');
    if (said !== '') this.#writer.write(` [image: ${said}] `);
  }

  #beginLink(href: string | undefined): void {
    this.#endLink();
    // Within the page itself there is nothing to go to.
    if (href === undefined || href.trim().startsWith('#')) return;
    this.#href = this.#absolute(href);
    if (this.#href !== undefined) this.#writer.beginLink();
  }

  #endLink(): void {
    if (this.#href !== undefined) this.#writer.endLink(this.#href);
    this.#href = undefined;
  }

  /** As it may be fetched or written to; undefined: it is for something else. */
  #absolute(href = ''): string | undefined {
    const url = URL.parse(href.trim(), this.#base);
    if (!url || !LINKS.has(url.protocol) || url.href.length > MAX_URL) return undefined;
    return url.href.replaceAll('(', '%28').replaceAll(')', '%29');
  }
}

/** By its own attributes. */
function isHiddenBy(attributes: ReadonlyMap<string, string>): boolean {
  return attributes.has('hidden') || HIDING.test(attributes.get('style') ?? '');
}
