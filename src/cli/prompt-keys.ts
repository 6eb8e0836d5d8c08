import { graphemes } from './style.ts';

/** A text that is being typed, and where in it the cursor is. */
export interface Draft {
  text: string;
  /** Index into the text. */
  cursor: number;
}

/** A key as `readline.emitKeypressEvents` tells it. */
export interface Key {
  name?: string | undefined;
  ctrl?: boolean;
  meta?: boolean;
  shift?: boolean;
  sequence?: string;
}

/** What a key means besides a change of the draft. */
export type Order = 'submit' | 'interrupt' | 'end' | 'older' | 'newer' | 'clear-screen' | 'complete' | 'nothing';

export const NO_DRAFT: Draft = { text: '', cursor: 0 };

/** What becomes of the draft, or what else the key orders. @param typed the character that it gives, if it gives one. */
export function pressed(draft: Draft, typed: string | undefined, key: Key): Draft | Order {
  const { name = '' } = key;
  if (key.ctrl) return afterControl(draft, name);
  if (key.meta) return afterMeta(draft, name);
  switch (name) {
    case 'return':
      // A backslash at the end of the line: it goes on below.
      if (draft.cursor > 0 && draft.text[draft.cursor - 1] === '\\')
        return inserted(without(draft, draft.cursor - 1, draft.cursor), '\n');
      return 'submit';
    case 'enter':
      return inserted(draft, '\n');
    case 'backspace':
      return without(draft, before(draft), draft.cursor);
    case 'delete':
      return without(draft, draft.cursor, after(draft));
    case 'left':
      return { ...draft, cursor: before(draft) };
    case 'right':
      return { ...draft, cursor: after(draft) };
    case 'home':
      return { ...draft, cursor: lineStart(draft) };
    case 'end':
      return { ...draft, cursor: lineEnd(draft) };
    case 'up':
      return moved(draft, -1) ?? 'older';
    case 'down':
      return moved(draft, 1) ?? 'newer';
    case 'tab':
      return 'complete';
  }
  return typed !== undefined && !/[\p{Cc}]/u.test(typed) ? inserted(draft, typed) : 'nothing';
}

/** The draft with some text put in where the cursor is. */
export function inserted({ text, cursor }: Draft, piece: string): Draft {
  return { text: text.slice(0, cursor) + piece + text.slice(cursor), cursor: cursor + piece.length };
}

function afterControl(draft: Draft, name: string): Draft | Order {
  switch (name) {
    case 'c':
      return 'interrupt';
    case 'd':
      return draft.text === '' ? 'end' : without(draft, draft.cursor, after(draft));
    case 'l':
      return 'clear-screen';
    case 'j':
      return inserted(draft, '\n');
    case 'a':
      return { ...draft, cursor: lineStart(draft) };
    case 'e':
      return { ...draft, cursor: lineEnd(draft) };
    case 'b':
      return { ...draft, cursor: before(draft) };
    case 'f':
      return { ...draft, cursor: after(draft) };
    case 'h':
      return without(draft, before(draft), draft.cursor);
    case 'k':
      return without(draft, draft.cursor, lineEnd(draft));
    case 'u':
      return without(draft, lineStart(draft), draft.cursor);
    case 'w':
      return without(draft, wordStart(draft), draft.cursor);
    case 'p':
      return 'older';
    case 'n':
      return 'newer';
    case 'left':
      return { ...draft, cursor: wordStart(draft) };
    case 'right':
      return { ...draft, cursor: wordEnd(draft) };
  }
  return 'nothing';
}

function afterMeta(draft: Draft, name: string): Draft | Order {
  switch (name) {
    case 'return':
    case 'enter':
      return inserted(draft, '\n');
    case 'b':
    case 'left':
      return { ...draft, cursor: wordStart(draft) };
    case 'f':
    case 'right':
      return { ...draft, cursor: wordEnd(draft) };
    case 'd':
      return without(draft, draft.cursor, wordEnd(draft));
    case 'backspace':
      return without(draft, wordStart(draft), draft.cursor);
  }
  return 'nothing';
}

function without({ text }: Draft, from: number, to: number): Draft {
  return { text: text.slice(0, from) + text.slice(to), cursor: from };
}

function before({ text, cursor }: Draft): number {
  return cursor === 0 ? 0 : cursor - (graphemes(text.slice(0, cursor)).at(-1)?.segment.length ?? 1);
}

function after({ text, cursor }: Draft): number {
  return cursor + (graphemes(text.slice(cursor))[0]?.segment.length ?? 0);
}

function lineStart({ text, cursor }: Draft): number {
  return text.slice(0, cursor).lastIndexOf('\n') + 1;
}

function lineEnd({ text, cursor }: Draft): number {
  const at = text.indexOf('\n', cursor);
  return at < 0 ? text.length : at;
}

function wordStart({ text, cursor }: Draft): number {
  return /[^\s]*\s*$/u.exec(text.slice(0, cursor))?.index ?? 0;
}

function wordEnd({ text, cursor }: Draft): number {
  return cursor + (/^\s*[^\s]*/u.exec(text.slice(cursor))?.[0].length ?? 0);
}

/** The cursor a line further up or down; undefined if there is none. */
function moved(draft: Draft, by: -1 | 1): Draft | undefined {
  const start = lineStart(draft);
  const end = lineEnd(draft);
  if (by < 0 ? start === 0 : end === draft.text.length) return undefined;
  const column = draft.cursor - start;
  const other = by < 0 ? lineStart({ ...draft, cursor: start - 1 }) : end + 1;
  return { ...draft, cursor: Math.min(other + column, lineEnd({ ...draft, cursor: other })) };
}
