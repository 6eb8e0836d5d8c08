import { isObject, type JsonObject } from '../core/json.ts';

/** Enough for a person to read at once. Characters, of the whole and of one argument. */
const MOST_CHARS = 8000;
const MOST_OF_ONE = 4000;
/** So many spaces or blank lines could push what follows out of sight. */
const MOST_SPACES = 16;
const MOST_BLANK_LINES = 3;

/** All that is not seen as what it is, or that covers what stands beside it. */
const UNSEEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]|(?<=\p{M}{3})\p{M}/gu;

const NAMES: Readonly<Record<string, string>> = { '\t': '\\t', '\r': '\\r' };

/**
 * A call as a person reads it before it is allowed: the tool, then its arguments, those of several lines below their
 * name. Nothing can hide in it. What would not be seen is written out, `\u{202e}`; a backslash is doubled, so that
 * nothing else looks like that; long gaps are counted, `\{80 spaces}`. If it is too long, that is said at its beginning
 * and at the place where something is left out.
 */
export function displayOf(tool: string, given: JsonObject): string {
  const shown = [quotedName(tool), ...Object.entries(given).map(([name, value]) => argument(name, value))];
  const whole = shown.flatMap(({ lines }) => lines).join('\n');
  const { first, left, last } = ends(whole, MOST_CHARS);
  const text = left === 0 ? whole : `${first}\n\\{more is left out here}\n${last}`;
  const isWhole = left === 0 && shown.every(({ isCut }) => !isCut);
  return isWhole ? text : `${NOT_ALL}\n${text}`;
}

const NOT_ALL = '(This is not all: it was too long to be shown as a whole.)';

/** A part of what is shown, and whether something of it is left out. */
interface Shown {
  lines: string[];
  isCut: boolean;
}

function leftOut(count: number): string {
  return `\\{${count} characters are left out here}`;
}

function argument(name: string, value: unknown): Shown {
  const key = quotedName(name);
  const after = ({ lines: [text = ''], isCut }: Shown): Shown => ({
    lines: [`${key.lines[0]}: ${text}`],
    isCut: isCut || key.isCut,
  });
  if (typeof value === 'string' && !value.includes('\n')) return after(quoted(value));
  if (typeof value !== 'string' && !isObject(value) && !Array.isArray(value))
    return after({ lines: [JSON.stringify(value)], isCut: false });
  // In JSON everything is escaped but what cannot be seen.
  const [text, written] =
    typeof value === 'string' ? ([value, seen] as const) : ([JSON.stringify(value, null, 2), escaped] as const);
  const { first, left, last } = ends(text, MOST_OF_ONE);
  const rest = left === 0 ? [] : [leftOut(left), ...block(last.split('\n'), written)];
  return {
    lines: [`${key.lines[0]}:`, ...block(first.split('\n'), written), ...rest],
    isCut: left > 0 || key.isCut,
  };
}

function block(lines: readonly string[], written: (line: string) => string): string[] {
  const out: string[] = [];
  let blank: string[] = [];
  const flush = (): void => {
    if (blank.length > MOST_BLANK_LINES) out.push(`  \\{${blank.length} blank lines}`);
    else out.push(...blank.map((line) => (line === '' ? '  |' : `  | ${written(line)}`)));
    blank = [];
  };
  for (const line of lines) {
    if (/^[ \t]*$/.test(line)) blank.push(line);
    else {
      flush();
      out.push(`  | ${written(line)}`);
    }
  }
  flush();
  return out;
}

function quotedName(name: string): Shown {
  return /^[\w-]{1,100}$/.test(name) ? { lines: [name], isCut: false } : quoted(name);
}

function quoted(text: string): Shown {
  const quote = (part: string): string => `"${seen(part).replaceAll('"', '\\"')}"`;
  const { first, left, last } = ends(text, MOST_OF_ONE);
  const rest = left === 0 ? [] : [leftOut(left), quote(last)];
  return { lines: [[quote(first), ...rest].join(' ')], isCut: left > 0 };
}

/** The beginning and end of a text that is too long, in which no character is cut in two; of others all is the beginning. */
function ends(text: string, most: number): { first: string; left: number; last: string } {
  if (text.length <= most) return { first: text, left: 0, last: '' };
  const first = text.slice(0, most / 2).replace(/[\ud800-\udbff]$/, '');
  const last = text.slice(-most / 2).replace(/^[\udc00-\udfff]/, '');
  return { first, left: text.length - first.length - last.length, last };
}

function seen(text: string): string {
  return escaped(text.replaceAll('\\', '\\\\'));
}

function escaped(text: string): string {
  return text
    .replace(UNSEEN, (char) => NAMES[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/ {2,}/g, (gap) => (gap.length > MOST_SPACES ? `\\{${gap.length} spaces}` : gap));
}
