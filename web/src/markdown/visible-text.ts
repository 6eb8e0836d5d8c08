// biome-ignore-all lint/suspicious/noControlCharactersInRegex: these are what it looks for

/** What a terminal would carry out: colours, moving about, titles, links. */
const ESCAPES =
  /\u001b(?:\[[0-9:;<=>?]{0,100}[ -/]{0,10}[@-~]|\][^\u0007\u001b]{0,2000}(?:\u0007|\u001b\\)|[()][0-9A-B]|[=>78])/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
/** They turn the direction of writing, or cannot be seen: code can be made to look like other code with them. */
const HIDDEN = /[\u0080-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const ANY = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

/**
 * Code or a program's output as it can be looked at: terminal escapes are left out, other control characters and those
 * that hide something are shown as `^G` or by their number.
 */
export function visibleText(text: string): string {
  if (!ANY.test(text)) return text;
  return text
    .replace(ESCAPES, '')
    .replace(/\r+\n/g, '\n')
    .replace(/\r/g, '\n')
    .replace(CONTROLS, (sign) => `^${String.fromCharCode(sign.charCodeAt(0) ^ 64)}`)
    .replace(HIDDEN, (sign) => `‹U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}›`);
}
