import { setImmediate } from 'node:timers/promises';
import type { RE2JS } from 're2js';
import { AppError } from '../../errors.ts';

/** A line that matches, or is near one that does. */
export interface FoundLine {
  /** Counted from 1. */
  number: number;
  text: string;
  isMatch: boolean;
}

const MAX_PATTERN = 1000;
const MAX_LINE_CHARS = 300;
/** What of a cut line is shown before the match. */
const LEAD_CHARS = 100;
/** How much is searched before others get a turn. */
const CHARS_A_TURN = 100_000;

/**
 * Reads a regular expression. RE2's kind: whatever it is and whatever it is held against, it takes time in proportion to
 * the text. JavaScript's own can be made to run for ever, and only a thread that is killed would end it.
 * @throws AppError `invalid_request` that says what is wrong with it.
 */
export async function compileExpression(pattern: string, ignoreCase: boolean): Promise<RE2JS> {
  if (pattern.length > MAX_PATTERN)
    throw new AppError('invalid_request', `The expression has more than ${MAX_PATTERN} characters`);
  // Its tables take a while to load, and are not always needed.
  const { RE2JS } = await import('re2js');
  try {
    return RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new AppError(
      'invalid_request',
      `${JSON.stringify(pattern)} cannot be searched for: ${reason}. The syntax is RE2’s, which has no look-around and no ` +
        'back-references; a backslash before . ( [ { * + ? takes them as they are',
      { cause: error },
    );
  }
}

/**
 * The lines of a text that match, at most `limit`, and as many around each as `context` says.
 * @throws why the signal was aborted.
 */
export async function searchLines(
  text: string,
  expression: RE2JS,
  { limit, context, signal }: { limit: number; context: number; signal: AbortSignal },
): Promise<FoundLine[]> {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const found: FoundLine[] = [];
  let matches = 0;
  let shownUntil = 0;
  let searched = 0;
  for (const [index, raw] of lines.entries()) {
    searched += raw.length + 1;
    if (searched > CHARS_A_TURN) {
      searched = 0;
      await setImmediate();
      signal.throwIfAborted();
    }
    const line = withoutReturn(raw);
    if (!expression.test(line)) continue;
    for (let near = Math.max(shownUntil, index - context); near < index; near++) found.push(around(lines, near));
    // One that follows a match may itself be one.
    while (found.length > 0 && (found.at(-1)?.number ?? 0) > index) found.pop();
    found.push({ number: index + 1, text: cutAround(line, expression), isMatch: true });
    shownUntil = Math.min(index + 1 + context, lines.length);
    for (let near = index + 1; near < shownUntil; near++) found.push(around(lines, near));
    if (++matches >= limit) break;
  }
  return found;
}

function around(lines: readonly string[], index: number): FoundLine {
  const line = withoutReturn(lines[index] ?? '');
  const text = line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}…` : line;
  return { number: index + 1, text, isMatch: false };
}

function cutAround(line: string, expression: RE2JS): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  const matcher = expression.matcher(line);
  const start = matcher.find() ? Math.max(0, matcher.start() - LEAD_CHARS) : 0;
  const end = Math.min(line.length, start + MAX_LINE_CHARS);
  return `${start > 0 ? '…' : ''}${line.slice(start, end)}${end < line.length ? '…' : ''}`;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
