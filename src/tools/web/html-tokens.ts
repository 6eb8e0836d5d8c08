import { decodeReferences } from './character-references.ts';

/** A piece of HTML. Names are in lower case. */
export type HtmlToken =
  | { kind: 'text'; text: string }
  | { kind: 'open'; name: string; attributes: ReadonlyMap<string, string> }
  | { kind: 'close'; name: string };

/** What is in these is no HTML. */
const RAW = new Set(['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'textarea', 'title', 'plaintext']);
/** Of these, those with character references in them. */
const REFERENCES = new Set(['textarea', 'title']);

const MAX_ATTRIBUTES = 100;

/** Takes HTML apart as browsers do, in a time that grows with its length and nothing else. Comments are left out. */
export function* htmlTokens(html: string): Generator<HtmlToken> {
  let at = 0;
  while (at < html.length) {
    const next = html.indexOf('<', at);
    if (next !== at) yield text(html.slice(at, next < 0 ? undefined : next));
    if (next < 0) return;
    const second = html[next + 1] ?? '';
    if (second === '!' || second === '?') at = afterDeclaration(html, next);
    else if (/[a-zA-Z]/.test(second)) {
      const tag = readTag(html, next + 1);
      if (!tag) return;
      const { name, attributes } = tag;
      yield { kind: 'open', name, attributes };
      at = tag.end;
      if (!RAW.has(name)) continue;
      const end = endOfRaw(html, at, name);
      const raw = html.slice(at, end);
      yield REFERENCES.has(name) ? text(raw) : { kind: 'text', text: raw };
      at = end;
    } else if (second === '/' && /[a-zA-Z]/.test(html[next + 2] ?? '')) {
      const tag = readTag(html, next + 2);
      if (!tag) return;
      yield { kind: 'close', name: tag.name };
      at = tag.end;
    } else if (second === '/') at = after(html, '>', next);
    else {
      yield { kind: 'text', text: '<' };
      at = next + 1;
    }
  }
}

function text(source: string): HtmlToken {
  return { kind: 'text', text: decodeReferences(source) };
}

/** Where a comment, a doctype or the like is over. */
function afterDeclaration(html: string, at: number): number {
  if (!html.startsWith('<!--', at)) return after(html, '>', at);
  if (html.startsWith('<!-->', at)) return at + 5;
  const end = /--!?>/g;
  end.lastIndex = at + 4;
  return end.exec(html) ? end.lastIndex : html.length;
}

function after(html: string, end: string, at: number): number {
  const found = html.indexOf(end, at);
  return found < 0 ? html.length : found + 1;
}

/** From the name on; undefined: it does not end. */
function readTag(
  html: string,
  at: number,
): { name: string; attributes: ReadonlyMap<string, string>; end: number } | undefined {
  const name = /[^\s/>]+/y;
  name.lastIndex = at;
  const named = name.exec(html);
  if (!named) return undefined;
  const attributes = new Map<string, string>();
  const attribute = /[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*))?)?/y;
  let end = name.lastIndex;
  for (;;) {
    attribute.lastIndex = end;
    const found = attribute.exec(html);
    if (!found) break;
    end = attribute.lastIndex;
    // A quote without its other half: nothing after it can be told.
    if (found[0].endsWith('=') && /\s*["']/y.test(html.slice(end, end + 1))) return undefined;
    const key = (found[1] ?? '').toLowerCase();
    if (attributes.size < MAX_ATTRIBUTES && !attributes.has(key))
      attributes.set(key, decodeReferences(found[2] ?? found[3] ?? found[4] ?? ''));
  }
  const close = html.indexOf('>', end);
  return close < 0 ? undefined : { name: named[0].toLowerCase(), attributes, end: close + 1 };
}

function endOfRaw(html: string, at: number, name: string): number {
  const end = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
  end.lastIndex = at;
  return end.exec(html)?.index ?? html.length;
}
