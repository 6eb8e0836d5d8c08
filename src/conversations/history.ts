import { assistantParts } from '../chat/assistant-parts.ts';
import { toUserParts } from '../chat/content.ts';
import { asToolData } from '../core/tool-data.ts';
import type { Message } from '../providers/chat-model.ts';
import type { MessageRow, ToolCallRow } from '../storage/messages.ts';
import { assistantBody, resultOf, toolCallsOf, userBody } from './stored.ts';

/** How much of a long tool result the model sees when there is no room for all of it, in bytes of UTF-8. */
const SHORT_HEAD = 1200;
const SHORT_TAIL = 600;

/** A shortened result is no longer than this, estimated; one that is not is left as it is. Tokens. */
export const SHORT_RESULT_TOKENS = 500;

/** What a call without a result is answered with: every provider refuses a history in which one is missing. */
const NO_RESULT = 'There is no result: the call was not carried out.';

/**
 * Stored messages as the wires lower from them: every call is followed by its result. What tools of ours have returned is
 * marked as data, the same way each time that it is sent; what a caller brings is the caller's own.
 */
export function toModelMessages(rows: readonly MessageRow[], shortenedSeq = 0): Message[] {
  return rows.flatMap((row): Message[] => {
    if (row.role === 'user') return [{ role: 'user', parts: toUserParts(userBody(row).content) }];
    const toolCalls = toolCallsOf(row);
    const results = row.toolCalls.map((call, index): Message => {
      const result = resultOf(call) ?? NO_RESULT;
      const text = row.seq <= shortenedSeq ? shortened(result, call.tokens, call.result_id) : result;
      return {
        role: 'tool',
        toolCallId: toolCalls[index]?.id ?? '',
        toolName: toolCalls[index]?.name ?? '',
        text: isToolData(call) ? asToolData(text, `${row.id}:${index}`) : text,
      };
    });
    return [{ role: 'assistant', parts: assistantParts({ ...assistantBody(row), toolCalls }) }, ...results];
  });
}

/**
 * Is a call's result what a tool of ours has returned? Only of those, and of their copies, it is known how long they took;
 * what a caller brings is the caller's own, and a refusal is ours or a person's.
 */
function isToolData({ status, duration }: ToolCallRow): boolean {
  return duration !== null && status !== 'denied';
}

/**
 * A long result's beginning and end.
 * @param id by which the whole can be read, if it is kept.
 */
export function shortened(result: string, tokens: number, id: string | null = null): string {
  if (tokens <= SHORT_RESULT_TOKENS) return result;
  // Without the character that is cut through.
  const head = Buffer.from(result.slice(0, SHORT_HEAD))
    .subarray(0, SHORT_HEAD)
    .toString()
    .replace(/\uFFFD$/, '');
  const tail = Buffer.from(result.slice(-SHORT_TAIL))
    .subarray(-SHORT_TAIL)
    .toString()
    .replace(/^\uFFFD{1,3}/, '');
  const whole = id === null ? '' : `; the whole result has the id ${id}`;
  return `${head}\n[… ${result.length - head.length - tail.length} characters left out${whole} …]\n${tail}`;
}

/**
 * What stands in for the messages that a compaction covers: a user's message and not a system's, since what it was made
 * of may be anybody's words.
 */
export function summaryMessage(summary: string | null): Message {
  const text =
    summary === null
      ? 'The earlier messages of this conversation are left out: there was no room for them.'
      : `The earlier messages of this conversation, in short:\n<summary>\n${summary}\n</summary>`;
  return { role: 'user', parts: [{ type: 'text', text }] };
}
