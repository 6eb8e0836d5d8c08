import { useEffect, useState } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import { followRun } from '../../../src/client/follow-run.ts';
import type { RunEvent } from '../../../src/client/run-events.ts';
import { NO_EVENTS, type RunState, withEvents } from '../../../src/client/run-state.ts';
import { SERVER } from '../api/server.ts';

/** How often a page that nobody sees looks at what has come, in milliseconds: it gets no frames. */
const HIDDEN_MS = 500;

/** A run as it is being told; `State` is what is made of its events. */
export interface Followed<State> {
  state: State;
  /** The connection is lost, and being made again. */
  lost: RequestError | undefined;
  /** The server refuses to tell of it. */
  error: RequestError | undefined;
}

/** A run as it is shown in a conversation. */
export type FollowedRun = Followed<RunState>;

/** Follows a run to its end, live, over lost connections; what comes within a frame is shown together. */
export function useRun(id: string | undefined): FollowedRun {
  return useRunEvents(id, NO_EVENTS, withEvents);
}

/**
 * The same for whoever makes something else of the events.
 * @param none what there is before the first event; the same object each time.
 * @param add what there is with some more events; the same function each time.
 */
export function useRunEvents<State>(
  id: string | undefined,
  none: State,
  add: (state: State, events: readonly RunEvent[]) => State,
): Followed<State> {
  const [followed, setFollowed] = useState<Followed<State> & { id: string | undefined }>({ ...nothing(none), id });
  useEffect(() => {
    if (id === undefined) return;
    setFollowed({ ...nothing(none), id });
    const leaving = new AbortController();
    const { signal } = leaving;
    let news: RunEvent[] = [];
    let isPlanned = false;
    const show = (): void => {
      isPlanned = false;
      const events = news;
      news = [];
      if (!signal.aborted) setFollowed((before) => ({ ...before, state: add(before.state, events) }));
    };
    const plan = (): void => {
      if (isPlanned) return;
      isPlanned = true;
      if (document.hidden) setTimeout(show, HIDDEN_MS);
      else requestAnimationFrame(show);
    };
    const follow = async (): Promise<void> => {
      const onLost = (lost: RequestError | undefined): void => setFollowed((before) => ({ ...before, lost }));
      for await (const events of followRun(SERVER, id, 0, { signal, onLost })) {
        news.push(...events);
        plan();
      }
    };
    follow().catch((error: unknown) => {
      if (error instanceof RequestError) setFollowed((before) => ({ ...before, error }));
      else throw error;
    });
    return () => leaving.abort();
  }, [id, none, add]);
  // Between two runs nothing of the first one is shown as the second.
  return followed.id === id ? followed : nothing(none);
}

function nothing<State>(state: State): Followed<State> {
  return { state, lost: undefined, error: undefined };
}
