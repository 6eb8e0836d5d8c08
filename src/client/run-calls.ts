import { type ApprovalAnswer, answerApproval } from './answer-approval.ts';
import type { BodyOf } from './calls.ts';
import type { RequestError } from './client.ts';
import { type Server, sendJson } from './client.ts';
import { followRun, startRun } from './follow-run.ts';
import { withRetries } from './retries.ts';
import type { RunEvent } from './run-events.ts';
import type { Approval, RunWithCalls } from './types.ts';

/** The message that begins a run: docs/runs.md. */
export type RunMessage = BodyOf<'/api/chat/conversations/{id}/messages/agentic', 'post'>;

/** How a run is followed. */
export interface Following {
  /** The number of the last event that is known; absent: all are told. */
  after?: number;
  signal?: AbortSignal;
  /** Told when the connection is lost, and with undefined when it is back. */
  onLost?: (why: RequestError | undefined) => void;
}

/** What is done with agents' runs. */
export interface Runs {
  /**
   * Starts a run, once, however often it has to be sent. @returns its id; it goes on whether or not anybody follows.
   * @throws RequestError
   */
  start(
    conversationId: string,
    message: RunMessage,
    options?: { signal?: AbortSignal; idempotencyKey?: string },
  ): Promise<string>;
  /**
   * Its events, each once, live to its end, over broken connections and restarts of the server.
   * @throws RequestError if the server refuses; what `signal` was aborted with
   */
  follow(runId: string, options?: Following): AsyncGenerator<RunEvent, void>;
  /** Waits for its end. @returns it as it is then: how it went is its `status`. @throws RequestError */
  result(runId: string, options?: Omit<Following, 'after'>): Promise<RunWithCalls>;
  /** Answers a question about a call. @throws RequestError 409 or 404 if it is not open */
  answer(approval: Pick<Approval, 'id' | 'conversationId'>, answer: ApprovalAnswer): Promise<void>;
}

/** What is done with the runs of a server. @param retries how often `start` and `result` are sent again at most. */
export function runsOf(server: Server, retries: number): Runs {
  const follow: Runs['follow'] = async function* (runId, { after = 0, signal, onLost } = {}) {
    const options = { signal: signal ?? new AbortController().signal, ...(onLost ? { onLost } : {}) };
    for await (const events of followRun(server, encodeURIComponent(runId), after, options)) yield* events;
    signal?.throwIfAborted();
  };
  return {
    follow,
    start: (conversationId, message, { signal, idempotencyKey = crypto.randomUUID() } = {}) =>
      withRetries(retries, signal, () =>
        startRun(server, encodeURIComponent(conversationId), message, {
          signal: signal ?? new AbortController().signal,
          key: idempotencyKey,
        }),
      ),
    result: async (runId, options = {}) => {
      for await (const _ of follow(runId, options));
      const { signal } = options;
      const path = `/api/chat/runs/${encodeURIComponent(runId)}`;
      const { run } = await withRetries(retries, signal, () =>
        sendJson<{ run: RunWithCalls }>(server, path, signal ? { signal } : {}),
      );
      return run;
    },
    answer: (approval, answer) => answerApproval(server, approval, answer),
  };
}
