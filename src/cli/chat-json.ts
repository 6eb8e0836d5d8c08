import type { RunState } from '../client/run-state.ts';
import { answerOf, callsOf } from './chat-print.ts';

/** What `--json` prints of a run; docs/cli.md. */
export function resultObject(runId: string, conversationId: string, state: RunState): Record<string, unknown> {
  const { end, session, approvals } = state;
  const complete = end?.type === 'complete' ? end.data : undefined;
  const error = end?.type === 'error' ? end.data : undefined;
  const status = complete
    ? 'completed'
    : error?.code === 'CANCELLED'
      ? 'cancelled'
      : error
        ? 'failed'
        : 'waiting_approval';
  return {
    conversationId,
    runId,
    status,
    stopReason: complete?.stopReason ?? null,
    // What is not complete is void.
    answer: complete ? answerOf(state) : '',
    provider: complete?.provider ?? session?.provider ?? null,
    model: complete?.model ?? session?.model ?? null,
    usage: complete
      ? {
          inputTokens: complete.inputTokens,
          outputTokens: complete.outputTokens,
          totalTokens: complete.totalTokens,
          cost: complete.cost,
        }
      : null,
    toolCalls: callsOf(state).map(({ id, name, arguments: given, status: became, result, duration }) => ({
      id,
      name,
      arguments: given,
      status: became,
      result: result ?? null,
      duration: duration ?? null,
    })),
    approvals: end ? [] : approvals.filter((approval) => approval.status === 'pending'),
    error: error ?? null,
  };
}
