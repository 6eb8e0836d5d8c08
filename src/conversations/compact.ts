import { AppError } from '../errors.ts';
import type { MessageRow } from '../storage/messages.ts';
import { MESSAGE_TOKENS, textTokens } from './estimate.ts';
import { SHORT_RESULT_TOKENS } from './history.ts';

/** What the model sees of a conversation instead of its beginning. */
export interface Memory {
  /** Messages up to this one are not sent. */
  coveredSeq: number;
  /** Of messages up to this one, long tool results are sent shortened. */
  shortenedSeq: number;
  /** What is sent in place of the covered ones; null if that is nothing. */
  summary: string | null;
}

/** The complete messages after what is covered, oldest first. */
export type LiveMessage = Pick<MessageRow, 'seq' | 'role' | 'tokens'> & {
  toolCalls: readonly Pick<MessageRow['toolCalls'][number], 'tokens'>[];
};

/** A conversation that is too long for its model. Token counts are our estimates; `ratio` corrects them. */
export interface CompactionInput<Live extends LiveMessage> {
  memory: Memory;
  live: readonly Live[];
  /** Live messages before those of `live`: so many that they are not even read. */
  unread: { count: number; tokens: number };
  /** Of all that is sent besides: prompts, tools and the new messages. */
  overhead: number;
  /** How many of the last live messages must stay: 1 if what the model is to answer is the results of its calls. */
  pinned: 0 | 1;
  ratio: number;
  /** The model's context window. */
  window: number;
  /**
   * Makes a summary of messages and the summary before them, of at most so many tokens; undefined if it cannot be had.
   * Called at most once.
   */
  summarise(live: readonly Live[], before: string | null, maxTokens: number): Promise<string | undefined>;
}

/** What a compaction came to. Tokens are corrected estimates of everything that is sent. */
export interface Compacted {
  memory: Memory;
  originalCount: number;
  compactedCount: number;
  tokensBefore: number;
  tokensAfter: number;
}

/** Parts of the window: a call that is longer is preceded by a compaction, which makes it no longer than the second. */
const LIMIT = 0.8;
const TARGET = 0.5;

/** A summary is at most this part of the window, and at most so many tokens. */
const SUMMARY_PART = 0.1;
const MAX_SUMMARY_TOKENS = 2000;

/** Less is no summary. */
const LEAST_SUMMARY_TOKENS = 50;

/** Does a call of so many tokens (corrected) need a compaction first? */
export function isTooLong(tokens: number, window: number): boolean {
  return tokens > window * LIMIT;
}

/** The estimated tokens of live messages as the model sees them, with what stands in for the covered ones. */
export function memoryTokens(memory: Memory, live: readonly LiveMessage[]): number {
  const summary = memory.coveredSeq > 0 ? textTokens(memory.summary ?? '') + STAND_IN_TOKENS : 0;
  return live.reduce((sum, message) => sum + tokensOf(message, memory.shortenedSeq), summary);
}

/** The words around a summary. */
const STAND_IN_TOKENS = 30;

function tokensOf({ seq, tokens, toolCalls }: LiveMessage, shortenedSeq: number): number {
  const longest = seq <= shortenedSeq ? SHORT_RESULT_TOKENS : Number.POSITIVE_INFINITY;
  return toolCalls.reduce((sum, call) => sum + Math.min(call.tokens, longest) + MESSAGE_TOKENS, tokens);
}

/**
 * Makes a conversation fit its model. It always ends: a summary of the older messages; if that is not to be had or not
 * enough, shortened tool results; then the oldest messages are left out, turn by turn. A message and the results of its
 * calls are one, so no call is ever without its result. The memory stays as it is if nothing would be gained.
 * @throws AppError `context_length_exceeded` if what must be sent is by itself longer than the window.
 */
export async function compact<Live extends LiveMessage>(input: CompactionInput<Live>): Promise<Compacted> {
  const { live, unread, overhead, ratio } = input;
  const total = (memory: Memory): number =>
    overhead +
    memoryTokens(
      memory,
      live.filter(({ seq }) => seq > memory.coveredSeq),
    );
  const before = total(input.memory) + unread.tokens;
  requireRoom(input, before);
  const memory = await shrunk(input, total);
  const next = total(memory) < before ? memory : input.memory;
  const kept = live.filter(({ seq }) => seq > next.coveredSeq).length;
  return {
    memory: next,
    originalCount: live.length + unread.count + (input.memory.summary === null ? 0 : 1),
    compactedCount: kept + (next.summary === null ? 0 : 1),
    tokensBefore: Math.ceil(before * ratio),
    tokensAfter: Math.ceil(total(next) * ratio),
  };
}

/** Said before anybody pays for a summary. */
function requireRoom(input: CompactionInput<LiveMessage>, before: number): void {
  const { live, overhead, ratio, window, pinned } = input;
  const lastSeq = live.at(-1)?.seq ?? 0;
  const stay = live.slice(live.length - pinned);
  const least = overhead + STAND_IN_TOKENS + stay.reduce((sum, message) => sum + tokensOf(message, lastSeq), 0);
  const tokens = Math.ceil(Math.min(least, before) * ratio);
  if (tokens > window) throw tooLong(tokens, window);
}

/** @param total estimated tokens of all that is sent with a memory. */
async function shrunk<Live extends LiveMessage>(
  input: CompactionInput<Live>,
  total: (memory: Memory) => number,
): Promise<Memory> {
  const { live, unread, overhead, ratio, window, pinned } = input;
  const fits = (memory: Memory, part: number): boolean => total(memory) * ratio <= window * part;
  const firstSeq = live[0]?.seq ?? 0;
  const lastSeq = live.at(-1)?.seq ?? 0;
  const shortenedSeq = Math.max(input.memory.shortenedSeq, lastSeq);

  const keep = (window * TARGET) / ratio - overhead - mostSummaryTokens(window, ratio) - STAND_IN_TOKENS;
  // A last turn that is only too long for its tool results is better kept with short ones than covered.
  const isTail = fittingEnd(live, keep, input.memory.shortenedSeq, 0).length > 0;
  const begin = isTail ? input.memory : { ...input.memory, shortenedSeq };
  let memory = (await summarised({ ...input, memory: begin }, keep)) ?? input.memory;
  // What was not even read cannot fit.
  if (unread.count > 0 && memory.coveredSeq < firstSeq) memory = { ...memory, coveredSeq: firstSeq - 1 };
  if (!fits(memory, LIMIT)) memory = { ...memory, shortenedSeq };
  if (!fits(memory, LIMIT)) {
    const part = overhead * ratio <= window * TARGET ? TARGET : LIMIT;
    const room = (window * part) / ratio - total({ ...memory, coveredSeq: Math.max(lastSeq, 1) });
    const rest = live.filter(({ seq }) => seq > memory.coveredSeq);
    const dropped = rest.length - fittingEnd(rest, room, memory.shortenedSeq, pinned).length;
    memory = { ...memory, coveredSeq: rest[dropped - 1]?.seq ?? memory.coveredSeq };
  }
  // There is no room even for the summary.
  return fits(memory, 1) ? memory : { ...memory, summary: null };
}

/**
 * The memory with a new summary; undefined if there is nothing to gain from one, or none to be had.
 * @param keep tokens (estimated) of the last messages that are not summarised.
 */
export async function summarised<Live extends LiveMessage>(
  input: CompactionInput<Live>,
  keep: number,
): Promise<Memory | undefined> {
  const { memory, live, ratio, window, pinned } = input;
  const kept = fittingEnd(live, keep, memory.shortenedSeq, pinned);
  const older = live.slice(0, live.length - kept.length);
  const most = mostSummaryTokens(window, ratio);
  // One that was made for a model with a larger window is summarised again, alone if need be.
  if (older.length === 0 && textTokens(memory.summary ?? '') <= most) return undefined;
  const room = Math.min(most, Math.floor(memoryTokens(memory, older) / 2));
  if (room < LEAST_SUMMARY_TOKENS) return undefined;
  const summary = (await input.summarise(older, memory.summary, room))?.trim();
  // A summary that is none: empty, or longer than it may be.
  if (!summary || textTokens(summary) > room) return undefined;
  return { ...memory, coveredSeq: older.at(-1)?.seq ?? memory.coveredSeq, summary };
}

function mostSummaryTokens(window: number, ratio: number): number {
  return Math.min(MAX_SUMMARY_TOKENS, Math.floor((window * SUMMARY_PART) / ratio));
}

/**
 * As many of the last messages as there is room for, from the beginning of a turn if there is one among them.
 * @param pinned so many of them in any case.
 */
function fittingEnd<Live extends LiveMessage>(
  live: readonly Live[],
  room: number,
  shortenedSeq: number,
  pinned: number,
): readonly Live[] {
  let left = room;
  const tooMuch = live.findLastIndex((message, index) => {
    left -= tokensOf(message, shortenedSeq);
    return left < 0 && index < live.length - pinned;
  });
  const begin = live.findIndex(({ role }, index) => index > tooMuch && role === 'user');
  return live.slice(begin === -1 ? tooMuch + 1 : begin);
}

function tooLong(tokens: number, window: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `The message is too long for this model: about ${tokens} tokens with its prompts and tools, of at most ${window}; shorten it or choose a model with a larger window`,
    { details: { tokens, window } },
  );
}
