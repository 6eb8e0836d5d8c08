import { type Kysely, sql } from 'kysely';
import { shortened } from '../conversations/history.ts';
import { assistantBody, newAssistantMessage, resultOf, textOfMessage } from '../conversations/stored.ts';
import { makeTitle } from '../conversations/title.ts';
import { newId } from '../core/ids.ts';
import { toDollars } from '../core/money.ts';
import type { ApprovalRow } from '../storage/approvals.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import { databaseNow } from '../storage/dialect.ts';
import { insertMessages, type MessageRow, type ToolCallRow } from '../storage/messages.ts';
import { timestamp } from '../storage/rows.ts';
import type { NewEvent } from '../storage/run-events.ts';
import type { StopReason } from '../storage/run-schema.ts';
import type { Schema } from '../storage/schema.ts';
import { hasSteering, takeSteering } from '../storage/steering.ts';
import { failMessages } from '../storage/turns.ts';
import { argumentsOf, callRecord, callsOf, declaredSummary, type RunSummary, steeringMessage } from './messages.ts';
import { type OpenRun, Steered } from './open-run.ts';

/** Tools whose calls leave something that the summary of a run can name, and the argument that names it. */
const MAKES: Readonly<Record<string, string>> = { write_file: 'path' };

const UNSEEN = JSON.stringify({ code: 'conflict', message: 'The run ended before its model saw this; try again' });

/**
 * Ends a run that has come to its end: the summary, the message, the totals. @param messages the run's own.
 * @returns false if a message has come for the model meanwhile, which it shall see first.
 */
export async function finishRun(
  run: OpenRun,
  messages: readonly MessageRow[],
  approvals: readonly ApprovalRow[],
  reason: StopReason,
): Promise<boolean> {
  const summary = summaryOf(messages, approvals);
  const { owner, id } = run.row;
  const ending = run.record(async (tx, row) => {
    if (reason === 'completed' && (await hasSteering(tx, owner, id))) throw new Steered();
    const last = await closingMessage(tx, run, row, messages, summary);
    const change = {
      status: 'completed' as const,
      stop_reason: reason,
      message: last?.id ?? null,
      finished_at: timestamp(),
      fold_at: sql<number>`${databaseNow(tx)} + ${sql.lit(run.services.foldAfterMs)}`,
    };
    const saved: NewEvent[] = last ? [{ type: 'message_saved', data: { id: last.id } }] : [];
    const events = [
      { type: 'summary', data: { ...summary } },
      ...saved,
      { key: 'end', type: 'complete', data: totals(run, messages, reason) },
    ];
    return { events, change, value: { last, row } };
  }, true);
  try {
    titleLater(run, messages, await ending);
    return true;
  } catch (error) {
    if (error instanceof Steered) return false;
    throw error;
  }
}

/** What the run is summed up as: in the model's own words, else its last answer. */
function summaryOf(messages: readonly MessageRow[], approvals: readonly ApprovalRow[]): RunSummary {
  const last = messages.findLast(({ role }) => role === 'assistant');
  const declared = declaredSummary(last);
  if (declared) return declared;
  const made = callsOf(messages, approvals).flatMap((placed) => {
    const { call, row } = placed;
    const argument = MAKES[call.name];
    const name = argument === undefined ? undefined : argumentsOf(placed)[argument];
    return row.status === 'success' && typeof name === 'string' ? [name] : [];
  });
  return { summary: last ? textOfMessage(last) : '', artifacts: [...new Set(made)], nextSteps: [] };
}

/** The run's answer: its last message, or one of the summary where the model ended with a call and no words. */
async function closingMessage(
  tx: Kysely<Schema>,
  run: OpenRun,
  row: ConversationRow,
  messages: readonly MessageRow[],
  { summary }: RunSummary,
): Promise<MessageRow | undefined> {
  const { owner, number, last_seq, message_count, live_tokens } = row;
  const last = messages.findLast(({ role }) => role === 'assistant');
  const place = { owner, conversation: number, turn: run.row.id, firstSeq: last_seq + 1 };
  const isSilent = last !== undefined && last.calls > 0 && textOfMessage(last) === '' && summary !== '';
  const { provider, model } = last ? assistantBody(last) : {};
  const closing = { content: summary, provider, model, finishReason: 'stop' as const };
  const answer = isSilent ? [newAssistantMessage(newId('msg'), closing, [], 'complete')] : [];
  // What nobody has seen is not lost: it can be tried again.
  const unseen = (await takeSteering(tx, owner, run.row.id)).map(steeringMessage);
  const added = (await insertMessages(tx, place, [...answer, ...unseen])) ?? [];
  await failMessages(tx, run.held, run.row.first_seq, UNSEEN);
  await writeConversation(tx, row, {
    last_seq: last_seq + added.length,
    message_count: message_count + added.length,
    live_tokens: live_tokens + (answer[0]?.tokens ?? 0),
    updated_at: timestamp(),
  });
  return isSilent ? added[0] : last;
}

function totals({ row, settings }: OpenRun, messages: readonly MessageRow[], stopReason: StopReason) {
  const last = messages.findLast(({ role }) => role === 'assistant');
  const { provider = settings.refs[0]?.provider, model = settings.refs[0]?.model } = last ? assistantBody(last) : {};
  return {
    totalTokens: row.total_tokens,
    inputTokens: row.prompt_tokens,
    outputTokens: row.completion_tokens,
    cost: row.priced > 0 ? toDollars(row.cost) : null,
    model,
    provider,
    totalSteps: row.steps,
    stopReason,
    // Whole they are in the events before, and in the run.
    toolCalls: callsOf(messages, []).map((placed) => ({ ...callRecord(placed), result: shortResult(placed.row) })),
  };
}

function shortResult(row: ToolCallRow): string | null {
  const result = resultOf(row);
  return result === undefined ? null : shortened(result, row.tokens);
}

function titleLater(
  run: OpenRun,
  messages: readonly MessageRow[],
  { last, row }: { last: MessageRow | undefined; row: ConversationRow },
): void {
  const asked = messages.find(({ role }) => role === 'user');
  const isFirst = run.row.first_seq === 1 && (row.title_by === 'nobody' || row.title_by === 'message');
  if (!asked || !last || !isFirst) return;
  const exchange = { asked: textOfMessage(asked), answered: textOfMessage(last) };
  void run.services.turns.track(
    makeTitle(run.context, run.held, exchange).catch((error: unknown) =>
      run.services.log.warn({ err: error }, 'a title could not be made'),
    ),
  );
}
