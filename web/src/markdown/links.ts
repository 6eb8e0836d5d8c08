/** Where a link leads. */
export interface Target {
  href: string;
  /** What has to stand beside the link, because its text says something else; undefined if nothing has to. */
  warning: string | undefined;
}

/** Characters that cannot be seen, or that turn the direction of writing; not the one that makes a sign colourful. */
const HIDDEN = /(?<!\p{Extended_Pictographic}(?=\ufe0f))[\p{Default_Ignorable_Code_Point}\p{Cf}\u0080-\u009f]/gu;
const ADDRESS = /[\p{L}\p{N}_-]+(?:[.。．｡][\p{L}\p{N}_-]+)*[.。．｡](?:\p{L}{2,}|xn--[\w-]+)/gu;
const LONGEST_HREF = 8000;

/**
 * Reads the address of a link.
 * @param text what the link shows.
 * @returns undefined if nobody should follow it: other schemes than http, https and mailto, and what has none.
 */
export function linkTarget(address: string, text: string): Target | undefined {
  if (address.length > LONGEST_HREF || !/^(?:https?:\/\/|mailto:)/i.test(address)) return undefined;
  const url = parse(address);
  if (!url) return undefined;
  if (url.protocol === 'mailto:') return mailTarget(url, text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  return { href: url.href, warning: isPlain(url, text) ? undefined : url.host };
}

function mailTarget(url: URL, text: string): Target {
  const address = decode(url.pathname);
  const shown = visible(text);
  const isOther = shown.trim() === '' || shown !== text || (shown.includes('@') && !shown.includes(address));
  return { href: url.href, warning: isOther ? address : undefined };
}

/** Does the text say nothing else than the address? */
function isPlain(url: URL, text: string): boolean {
  const shown = visible(text);
  if (shown !== text || shown.trim() === '') return false;
  if (url.username !== '' || url.password !== '') return false;
  if (url.hostname.includes('xn--') && !shown.includes(url.hostname)) return false;
  return hostsIn(shown).every((host) => isWithin(host, url.hostname));
}

/** The names of hosts that a text may be read as. */
function hostsIn(text: string): string[] {
  // Of an address only its host is one, not what stands in its path.
  const words = text.replace(/(\w:\/\/[^\s/?#]+)[/?#]\S*/g, '$1');
  return [...words.slice(0, 500).matchAll(ADDRESS)].flatMap(([name]) => parse(`http://${name}`)?.hostname ?? []);
}

function isWithin(host: string, target: string): boolean {
  const bare = host.replace(/^www\./, '');
  return target === bare || target === `www.${bare}`;
}

function visible(text: string): string {
  return text.replace(HIDDEN, '');
}

function parse(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
