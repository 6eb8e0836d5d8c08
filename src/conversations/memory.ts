import type { Completion } from '../chat/complete.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { contextWindow } from '../providers/models.ts';
import type { ModelRef } from '../providers/registry.ts';
import { currentCompaction, saveCompaction } from '../storage/compactions.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import { allMessages, countMessages, lastMessages, type MessageRow } from '../storage/messages.ts';
import {
  type Compacted,
  type CompactionInput,
  compact,
  isTooLong,
  type Memory,
  memoryTokens,
  summarised,
} from './compact.ts';
import type { ConversationContext } from './context.ts';
import { spent } from './spent.ts';
import { summarise } from './summarise.ts';
import type { OpenTurn } from './turns.ts';

/** Assumed of a model whose window nobody knows. If it is smaller, its provider's refusal tells. */
const USUAL_WINDOW = 128_000;

/** Failures that the turn's own call would meet as well, and that pass. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'budget_exceeded',
  'provider_auth',
  'provider_not_configured',
  'provider_rate_limited',
  'provider_timeout',
  'provider_unavailable',
]);

/** Messages and characters that are read at most to find out what can stay. */
const MOST_READ = { limit: 10_000, maxSize: 32 * 1024 ** 2 };

/** So few tokens cannot be much to read: of all that is sent, only pictures are far more bytes than tokens. */
const FEW_TOKENS = 8000;

/** A compaction as it is reported. */
export interface CompactionReport {
  /** What the model would have seen and sees now: messages, a summary being one. */
  originalCount: number;
  compactedCount: number;
  tokensReduced: number;
  /** Null: there was no summary to be had, and the oldest messages are left out. */
  summary: string | null;
}

/** What is sent of a conversation. */
export interface Remembered {
  memory: Memory;
  live: MessageRow[];
  /** Of all that is sent, estimated and not corrected. */
  estimate: number;
  compaction: CompactionReport | null;
}

/** What has to fit into the model's window. */
export interface Fitting {
  row: ConversationRow;
  refs: readonly ModelRef[];
  /** Estimated tokens of prompts, tools and new messages. */
  overhead: number;
  /** As in `CompactionInput`. */
  pinned: 0 | 1;
  /** Tokens. */
  window: number;
}

/** The window of the first of these models. */
export async function windowOf(context: ConversationContext, [ref]: readonly ModelRef[]): Promise<number> {
  return (ref && (await contextWindow(context.providers, ref))) ?? USUAL_WINDOW;
}

/** What the model sees instead of the conversation's beginning. */
export async function loadMemory(context: ConversationContext, row: ConversationRow): Promise<Memory> {
  const compaction = await currentCompaction(context.db, row);
  if (!compaction) return { coveredSeq: 0, shortenedSeq: 0, summary: null };
  const { covered_seq, shortened_seq, summary } = compaction;
  return {
    coveredSeq: covered_seq,
    shortenedSeq: shortened_seq,
    summary: summary === null ? null : (JSON.parse(summary) as string),
  };
}

/**
 * Reads what is sent of a conversation, and makes it fit first if it is too long. What was made is stored at once, so
 * that nobody pays for it again if the turn then fails.
 * @throws AppError `context_length_exceeded` if it cannot be made to fit.
 */
export async function remember(context: ConversationContext, turn: OpenTurn, fitting: Fitting): Promise<Remembered> {
  const { row, overhead, window } = fitting;
  const ratio = row.token_ratio;
  const memory = await loadMemory(context, row);
  const { live, unread } = await readLive(context, row, memory, window);
  const estimate = overhead + memoryTokens(memory, live);
  const fits = unread.count === 0 && !isTooLong(estimate * ratio, window);
  if (fits) return { memory, live, estimate, compaction: null };
  const { input, made } = summarising(context, turn, fitting, { memory, live, unread });
  const compacted = await compact(input);
  const next = compacted.memory;
  const summary = made();
  if (next === memory) {
    if (summary) await turn.write((tx, current) => writeConversation(tx, current, spent(current, summary.usage)));
    return { memory, live, estimate, compaction: null };
  }
  await keep(turn, compacted, summary);
  const left = live.filter(({ seq }) => seq > next.coveredSeq);
  return {
    memory: next,
    live: left,
    estimate: overhead + memoryTokens(next, left),
    compaction: reportOf(compacted),
  };
}

/**
 * Summarises all but the last quarter of a conversation although it is not too long yet. Null if there is too little.
 * @throws AppError what the model's provider says.
 */
export async function compactNow(
  context: ConversationContext,
  turn: OpenTurn,
  fitting: Omit<Fitting, 'overhead' | 'pinned'>,
): Promise<CompactionReport | null> {
  const { row, window } = fitting;
  const memory = await loadMemory(context, row);
  const { live, unread } = await readLive(context, row, memory, window);
  // Results of its calls may still come.
  const pinned = (live.at(-1)?.calls ?? 0) > 0 ? 1 : 0;
  const whole = { ...fitting, overhead: 0, pinned } as const;
  const { input, made, failure } = summarising(context, turn, whole, { memory, live, unread });
  const before = memoryTokens(memory, live) + unread.tokens;
  const next = await summarised(input, memoryTokens(memory, live) / 4);
  if (!next) {
    const error = failure();
    if (error) throw error;
    const useless = made();
    if (!useless) return null;
    await turn.write((tx, current) => writeConversation(tx, current, spent(current, useless.usage)));
    throw new AppError('provider_protocol', 'The model gave no summary that could be used: it was empty or too long');
  }
  const left = live.filter(({ seq }) => seq > next.coveredSeq);
  const after = memoryTokens(next, left);
  const compacted: Compacted = {
    memory: next,
    originalCount: live.length + unread.count + (memory.summary === null ? 0 : 1),
    compactedCount: left.length + 1,
    tokensBefore: Math.ceil(before * row.token_ratio),
    tokensAfter: Math.ceil(after * row.token_ratio),
  };
  await keep(turn, compacted, made());
  return reportOf(compacted);
}

/** Only as much as could matter is read: a conversation may be far longer than any window. */
async function readLive(
  { db }: ConversationContext,
  row: ConversationRow,
  { coveredSeq }: Memory,
  window: number,
): Promise<{ live: MessageRow[]; unread: { count: number; tokens: number } }> {
  const range = { owner: row.owner, conversation: row.number, after: coveredSeq, onlyComplete: true };
  const most = (2 * window) / row.token_ratio;
  if (row.live_tokens <= Math.min(most, FEW_TOKENS))
    return { live: await allMessages(db, range), unread: { count: 0, tokens: 0 } };
  const { rows, hasMore } = await lastMessages(db, range, { ...MOST_READ, maxTokens: most });
  if (!hasMore) return { live: rows, unread: { count: 0, tokens: 0 } };
  const count = await countMessages(db, { ...range, before: rows[0]?.seq ?? 0 });
  const read = rows.reduce(
    (sum, { tokens, toolCalls }) => toolCalls.reduce((all, call) => all + call.tokens, sum + tokens),
    0,
  );
  return { live: rows, unread: { count, tokens: Math.max(0, row.live_tokens - read) } };
}

/** The input of a compaction, and what its summary took if there was one. */
function summarising(
  context: ConversationContext,
  turn: OpenTurn,
  { row, refs, overhead, pinned, window }: Fitting,
  read: Pick<CompactionInput<MessageRow>, 'memory' | 'live' | 'unread'>,
): { input: CompactionInput<MessageRow>; made(): Completion | undefined; failure(): AppError | undefined } {
  let made: Completion | undefined;
  let failure: AppError | undefined;
  const ratio = row.token_ratio;
  return {
    made: () => made,
    failure: () => failure,
    input: {
      ...read,
      overhead,
      pinned,
      ratio,
      window,
      summarise: async (live, before, maxTokens) => {
        try {
          const request = { refs, live, before, maxTokens, window, ratio, signal: turn.signal };
          made = await summarise(context, request);
          return made.message.content;
        } catch (error) {
          // What passes, and whoever stops the turn, must not leave the history shortened without a summary.
          if (turn.signal.aborted || (error instanceof AppError && PASSING.has(error.code))) throw error;
          context.log.warn({ err: error }, 'a summary could not be made');
          failure = error as AppError;
          return undefined;
        }
      },
    },
  };
}

async function keep(turn: OpenTurn, compacted: Compacted, made: Completion | undefined): Promise<void> {
  const { memory, originalCount, compactedCount, tokensBefore, tokensAfter } = compacted;
  await turn.write(async (tx, row) => {
    const next = await saveCompaction(tx, row, {
      covered_seq: memory.coveredSeq,
      shortened_seq: memory.shortenedSeq,
      original_count: originalCount,
      compacted_count: compactedCount,
      tokens_before: tokensBefore,
      tokens_after: tokensAfter,
      summary: memory.summary === null ? null : JSON.stringify(memory.summary),
      answer: made ? JSON.stringify({ provider: made.provider, model: made.model, usage: made.usage }) : null,
    });
    if (made) await writeConversation(tx, next, spent(next, made.usage));
  });
}

function reportOf({ memory, originalCount, compactedCount, tokensBefore, tokensAfter }: Compacted): CompactionReport {
  return { originalCount, compactedCount, tokensReduced: tokensBefore - tokensAfter, summary: memory.summary };
}
