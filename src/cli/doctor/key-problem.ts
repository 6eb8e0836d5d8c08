const QUOTES = /^["'`‘’“”].*|.*["'`‘’“”]$/;
const PLACEHOLDER =
  /^<.*>$|^\$|^\{|\.\.\.|…|x{6,}|\*{4,}|(^|[-_])(your|my|insert|replace|change-?me|placeholder|example|dummy|todo)([-_]|$)/i;
const LEAST_CHARS = 8;

/** What shows that a text is no key, without showing the text; undefined: it may be one. */
export function keyProblem(key: string): string | undefined {
  if (QUOTES.test(key)) return 'has quotes around it, which belong to the shell';
  if (/^bearer\b/i.test(key)) return 'begins with “Bearer”, which is added by itself';
  if (/^[A-Z_]+=/.test(key)) return 'begins with the name of a variable';
  if (PLACEHOLDER.test(key)) return 'is the placeholder of an example';
  return key.length < LEAST_CHARS ? 'is too short to be one' : undefined;
}
