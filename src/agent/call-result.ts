import type { Kysely } from 'kysely';
import { resultTokens } from '../conversations/estimate.ts';
import { readableText } from '../core/readable-text.ts';
import { inErrors } from '../core/redactor.ts';
import type { Schema } from '../storage/schema.ts';
import { insertToolResult } from '../storage/tool-results.ts';
import { READ_RESULT } from '../tools/builtin/read-result.ts';
import type { PlacedCall } from './messages.ts';
import type { OpenRun } from './open-run.ts';

/**
 * A result with more characters is not sent as a whole. That many are some 8,000 tokens: two or three such results fit
 * even a window of 32,000, and of what is longer hardly all matters.
 */
const MOST_SENT = 30_000;
/** Of the beginning and end of a longer one; between them comes a note. */
const HEAD = 20_000;
const TAIL = 8000;

/** Of what is longer the middle is not kept either. */
const MOST_KEPT = 2_000_000;

/** A call's result as it is stored, sent and shown. */
export interface ReadyResult {
  text: string;
  /** Estimated, with its marks. */
  tokens: number;
  /** The whole, where `text` is only its beginning and end. */
  whole: { id: string; text: string } | undefined;
}

/**
 * Makes of what a call has come to what may be stored and sent: readable, without secrets, and not too long.
 * @param duration of the call, in milliseconds.
 */
export function readyResult(
  { settings }: Pick<OpenRun, 'settings'>,
  { message, row }: Pick<PlacedCall, 'message' | 'row'>,
  outcome: string,
  duration: number,
): ReadyResult {
  // First what could stand in the middle of a secret is taken out.
  const all = inErrors.redact(readableText(outcome));
  if (all.length <= MOST_SENT) return { text: all, tokens: resultTokens(all, duration), whole: undefined };
  const isCut = all.length > MOST_KEPT;
  const kept = isCut ? cut(all, MOST_KEPT / 2, MOST_KEPT / 2, (count) => `${count} characters were not kept`) : all;
  // The same for each try to store it.
  const whole = { id: `result_${message.id.replace(/^msg_/, '')}_${row.position}`, text: kept };
  const text = ends(whole, isCut, settings.tools.includes(READ_RESULT));
  return { text, tokens: resultTokens(text, duration), whole };
}

/** Keeps the whole of a long result, in the transaction that stores the call's. */
export async function keepWhole(
  tx: Kysely<Schema>,
  { row }: Pick<PlacedCall, 'row'>,
  { whole }: ReadyResult,
): Promise<void> {
  if (!whole) return;
  const { owner, conversation, seq, position } = row;
  await insertToolResult(tx, { ...whole, owner, conversation, seq, position });
}

function ends({ id, text }: { id: string; text: string }, isCut: boolean, canRead: boolean): string {
  const gap = isCut ? ', and of those in its middle some were not kept' : '';
  return cut(text, HEAD, TAIL, (count, from) => {
    const more = canRead ? `; ${READ_RESULT} with the id ${id} and the offset ${from} reads on` : '';
    return `${count} of ${text.length} characters are left out here${gap}${more}`;
  });
}

/** A text's beginning and end, with a note between them; no character of two units is cut in two. */
function cut(text: string, head: number, tail: number, note: (count: number, from: number) => string): string {
  const first = text.slice(0, head).replace(/[\ud800-\udbff]$/, '');
  const last = text.slice(-tail).replace(/^[\udc00-\udfff]/, '');
  return `${first}\n[… ${note(text.length - first.length - last.length, first.length)} …]\n${last}`;
}
