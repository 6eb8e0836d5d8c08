import { type Completion, chooseModels } from '../chat/complete.ts';
import { AppError, NotFoundError } from '../errors.ts';
import { listCompactions, undoCompactions } from '../storage/compactions.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import { countMessages } from '../storage/messages.ts';
import { tokensBeyond } from '../storage/tool-calls.ts';
import type { ConversationContext } from './context.ts';
import { textTokens } from './estimate.ts';
import { SHORT_RESULT_TOKENS } from './history.ts';
import { type CompactionReport, compactNow, loadMemory, windowOf } from './memory.ts';

/** What the model sees of a conversation. Tokens are estimates, corrected by the providers' counts. */
export interface MemoryView {
  /** What stands in for the messages that are covered; null if nothing does. */
  summary: string | null;
  /** Messages up to this `seq` are not sent; 0: all are. */
  coveredSeq: number;
  /** Messages that are sent. */
  liveMessages: number;
  tokens: number;
  contextWindow: number;
  /** All in force, oldest first; each covers what those before it did. */
  compactions: {
    coveredSeq: number;
    originalCount: number;
    compactedCount: number;
    tokensBefore: number;
    tokensAfter: number;
    summary: string | null;
    /** Who made the summary and what it took; null if there is none. */
    madeBy: { provider: string; model: string; usage: Completion['usage'] } | null;
    createdAt: string;
  }[];
}

/** @throws NotFoundError */
export async function viewMemory(context: ConversationContext, id: string): Promise<MemoryView> {
  const { db, owner } = context;
  const row = await getConversation(db, owner, id);
  if (!row) throw new NotFoundError('Conversation', id);
  const { coveredSeq, shortenedSeq, summary } = await loadMemory(context, row);
  const shortened = { after: coveredSeq, upTo: shortenedSeq, longest: SHORT_RESULT_TOKENS };
  const tokens = row.live_tokens + textTokens(summary ?? '') - (await tokensBeyond(db, row, shortened));
  const range = { owner, conversation: row.number, after: coveredSeq, onlyComplete: true };
  return {
    summary,
    coveredSeq,
    liveMessages: await countMessages(db, range),
    tokens: Math.ceil(tokens * row.token_ratio),
    contextWindow: await windowOf(context, await modelsOf(context, row)),
    compactions: (await listCompactions(db, row)).map((one) => ({
      coveredSeq: one.covered_seq,
      originalCount: one.original_count,
      compactedCount: one.compacted_count,
      tokensBefore: one.tokens_before,
      tokensAfter: one.tokens_after,
      summary: one.summary === null ? null : (JSON.parse(one.summary) as string),
      madeBy: one.answer === null ? null : JSON.parse(one.answer),
      createdAt: one.created_at,
    })),
  };
}

/**
 * Summarises the older part of a conversation now. Null if it is too short for that.
 * @param model who makes the summary; absent: the conversation's.
 * @throws NotFoundError, AppError what the model's provider says.
 */
export async function compactConversation(
  context: ConversationContext,
  id: string,
  { model }: { model?: string | undefined },
  signal: AbortSignal,
): Promise<CompactionReport | null> {
  if (model !== undefined) await chooseModels(context.providers, model);
  const { turn, row } = await context.turns.take(context.owner, id, signal, nothing);
  return await context.turns.track(
    (async () => {
      try {
        const refs = await modelsOf(context, row, model);
        return await compactNow(context, turn, { row, refs, window: await windowOf(context, refs) });
      } finally {
        await turn.end(() => Promise.resolve()).catch(() => {});
      }
    })(),
  );
}

/** Takes the last compaction back: the model sees again what it saw before. @throws NotFoundError, AppError `conflict`. */
export async function undoCompaction(context: ConversationContext, id: string, signal: AbortSignal): Promise<void> {
  const { turn } = await context.turns.take(context.owner, id, signal, nothing);
  const undone = await turn.end(async (tx, row) => {
    const result = await undoCompactions(tx, row, ({ number }) => number === row.compaction);
    return result.undone;
  });
  if (undone === 0) throw new AppError('conflict', 'This conversation has no compaction that could be undone');
}

function nothing(_: unknown, row: ConversationRow): Promise<{ value: undefined; firstSeq: number }> {
  return Promise.resolve({ value: undefined, firstSeq: row.last_seq + 1 });
}

async function modelsOf({ providers }: ConversationContext, row: ConversationRow, model?: string) {
  return await chooseModels(providers, model ?? row.model ?? undefined);
}
