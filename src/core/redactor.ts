import { isObject, tryParseJson } from './json.ts';

/** What is shorter stands in common words: texts without those could not be read. */
const MIN_CHARS = 8;

/** Of one place, with those that were in force before. */
const MAX_VALUES = 1000;

const MARK = '[secret]';

interface Search {
  /** Finds where a form may begin. */
  heads: RegExp;
  /** By their first characters, the longest first. */
  forms: Map<string, string[]>;
  /** By their first character. */
  starts: Map<string, string[]>;
  /** Characters of the longest. */
  longest: number;
}

/**
 * Strikes secrets out of texts by their value, wherever they stand: as they are, and as JSON, URLs and base64 have them.
 * Values of fewer than 8 characters are left. A text without any secret costs one regular expression.
 */
export class Redactor {
  /** By place, the newest first. */
  readonly #values = new Map<string, readonly string[]>();
  #search: Search | undefined;

  /**
   * Says which secrets are in force in a place (a provider, the database). Those that were so before may still be under
   * way and stay, up to a thousand in all.
   */
  set(place: string, values: readonly string[]): void {
    const known = new Set(this.#values.get(place));
    const all = new Set([...values.filter(({ length }) => length >= MIN_CHARS), ...known]);
    const kept = [...all].slice(0, MAX_VALUES);
    this.#values.set(place, kept);
    if (!kept.every((value) => known.has(value))) this.#search = undefined;
  }

  /** The text with `[secret]` in place of each secret. */
  redact(text: string): string {
    const { heads, forms } = this.#compiled();
    let clean = '';
    let done = 0;
    heads.lastIndex = 0;
    for (let found = heads.exec(text); found; found = heads.exec(text)) {
      const { index, 0: head } = found;
      const form = forms.get(head)?.find((candidate) => text.startsWith(candidate, index));
      if (form !== undefined) {
        clean += text.slice(done, index) + MARK;
        done = index + form.length;
      }
      heads.lastIndex = form === undefined ? index + 1 : done;
    }
    return done === 0 ? text : clean + text.slice(done);
  }

  /**
   * The same for a piece of a text that goes on: `rest` may be the beginning of a secret, and belongs before what comes
   * next.
   */
  redactPiece(text: string): { clean: string; rest: string } {
    const { heads, forms } = this.#compiled();
    let clean = '';
    for (let done = 0; ; ) {
      const held = this.#heldFrom(text, done);
      let match: { index: number; length: number } | undefined;
      heads.lastIndex = done;
      for (let found = heads.exec(text); found && found.index < held && !match; found = heads.exec(text)) {
        const { index, 0: head } = found;
        const form = forms.get(head)?.find((candidate) => text.startsWith(candidate, index));
        if (form !== undefined) match = { index, length: form.length };
        heads.lastIndex = index + 1;
      }
      if (!match) return { clean: clean + text.slice(done, held), rest: text.slice(held) };
      clean += text.slice(done, match.index) + MARK;
      done = match.index + match.length;
    }
  }

  /** From where on a text is what a secret begins with. */
  #heldFrom(text: string, from: number): number {
    const { starts, longest } = this.#compiled();
    for (let index = Math.max(from, text.length - longest + 1); index < text.length; index++) {
      const rest = text.length - index;
      const isBeginning = starts
        .get(text[index] ?? '')
        ?.some((form) => form.length > rest && form.startsWith(text.slice(index)));
      if (isBeginning) return index;
    }
    return text.length;
  }

  /** The same for all texts in a JSON value, names of fields included. */
  redactAll<T>(value: T): T;
  redactAll(value: unknown): unknown {
    if (typeof value === 'string') return this.redact(value);
    if (Array.isArray(value)) return value.map((item) => this.redactAll(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [this.redact(key), this.redactAll(inner)]));
  }

  /** The same for a line of JSON, which stays one. */
  redactLine(line: string): string {
    const { heads } = this.#compiled();
    heads.lastIndex = 0;
    // With escapes in it, a secret may be there that cannot be seen.
    if (!line.includes('\\') && !heads.test(line)) return line;
    const value = tryParseJson(line);
    if (value === undefined) return this.redact(line);
    const clean = JSON.stringify(this.redactAll(value));
    return clean === JSON.stringify(value) ? line : `${clean}\n`;
  }

  #compiled(): Search {
    this.#search ??= searchFor([...this.#values.values()].flat().flatMap(formsOf));
    return this.#search;
  }
}

/** For what callers are told. */
export const inErrors = new Redactor();

/** For what the operator alone sees. */
export const inLogs = new Redactor();

/** Names the secrets of a place that must be seen by nobody; {@link Redactor.set}. */
export function hide(place: string, values: readonly string[]): void {
  inErrors.set(place, values);
  inLogs.set(place, values);
}

/**
 * Names secrets that people choose and that callers have no part in: struck out of what a caller sees, they would tell
 * him who has a guess sent back (as the name of something that is not there) that he guessed right.
 */
export function hideInLogs(place: string, values: readonly string[]): void {
  inLogs.set(place, values);
}

/** Whole forms, of which a few have thousands of characters, would make an expression that takes seconds to compile. */
function searchFor(forms: readonly string[]): Search {
  const starts = Map.groupBy(new Set(forms), (form) => form.slice(0, 1));
  const longest = forms.reduce((most, { length }) => Math.max(most, length), 0);
  const byHead = Map.groupBy(
    [...new Set(forms)].toSorted((a, b) => b.length - a.length),
    (form) => form.slice(0, MIN_CHARS),
  );
  // Without a secret, what nothing begins with.
  const heads = byHead.size === 0 ? /(?!)/g : new RegExp([...byHead.keys()].map(RegExp.escape).join('|'), 'g');
  return { heads, forms: byHead, starts, longest };
}

/** How a secret is usually written. */
function formsOf(value: string): string[] {
  const json = inJson(value);
  const url = encodeURIComponent(value.toWellFormed());
  const form = new URLSearchParams([['', value]]).toString().slice(1);
  // Basic authentication with an empty name or an empty password, too.
  const base64 = [value, `:${value}`, `${value}:`].map(inBase64);
  return [
    value,
    json,
    // A text of JSON within a text of JSON.
    inJson(json),
    ...[url, form].flatMap((text) => [text, text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Without what fills up the end: it is the beginning of the form that has it. */
function inBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64').replace(/=+$/, '');
}
