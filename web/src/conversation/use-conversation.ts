import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { RunState } from '../../../src/client/run-state.ts';
import type { Run } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { isActive } from '../runs/run-words.ts';
import { type FollowedRun, useRun } from '../runs/use-run.ts';
import { type Entry, entriesOf, type LiveRun, type ToldStep, toldOf, type UserEntry } from './entries.ts';
import type { History } from './history.ts';
import { doneSending, type Outgoing, useOutgoing } from './outbox.ts';
import { type LoadedHistory, refetchSurely, useHistory } from './use-history.ts';
import { useLatestRun } from './use-latest-run.ts';

/** A conversation as it is shown, and what is going on in it. */
export interface ConversationView
  extends Pick<LoadedHistory, 'history' | 'error' | 'isDeleted' | 'loadOlder' | 'isLoadingOlder'> {
  entries: readonly Entry[];
  /** The run that goes on; undefined if none does. */
  active: { id: string; state: RunState } | undefined;
  outgoing: Outgoing | undefined;
  /** The connection is lost, and being made again. */
  isLost: boolean;
  /** The newest run, whether or not it has ended. */
  lastRunId: string | undefined;
  /** Asks for the history again. */
  reload: () => Promise<void>;
  /** A run is about to begin by itself: looks for it at once. */
  expectRun: (isExpected: boolean) => void;
}

/** History, live run and what is being sent of a conversation, as one. */
export function useConversation(id: string): ConversationView {
  const client = useQueryClient();
  const { history, error, isDeleted, refetch, loadOlder, isLoadingOlder } = useHistory(id);
  const outgoing = useOutgoing(id);
  const [isExpected, expectRun] = useState(false);
  const latest = useLatestRun(id, isExpected);
  const {
    live: followed,
    run,
    followedId,
    told,
    ended,
    forget,
  } = useLiveRun(latest, outgoing, history, refetch, client);
  // What is about to be replaced is not told any more.
  const live = outgoing?.replaces && outgoing.runId === undefined ? undefined : followed;
  useEffect(() => {
    if (live) expectRun(false);
  }, [live]);
  useEndedElsewhere(latest, followedId, refetch);
  useRemoved(outgoing, forget, refetch, client);

  const messages = useStanding(history, outgoing);
  const isReplaced = messages === history?.messages;
  const isShown = outgoing?.runId !== undefined && outgoing.runId === followedId && run.state.user !== undefined;
  const isRefused = outgoing?.runId === followedId && run.error !== undefined;
  const isPast = outgoing?.runId !== undefined && outgoing.runId !== followedId && ended.has(outgoing.runId);
  useEffect(() => {
    if (outgoing && ((isShown && isReplaced) || isRefused || isPast)) doneSending(id, outgoing.key);
  }, [id, outgoing, isShown, isReplaced, isRefused, isPast]);

  const lastRun = live || outgoing || (latest && isActive(latest)) ? undefined : (latest ?? undefined);
  const shown = useShown({ messages, live, told, lastRun });
  const entries = useMemo(
    () => (outgoing && !isShown && !isTold(live, outgoing) ? [...shown, sendingEntry(outgoing)] : shown),
    [shown, outgoing, isShown, live],
  );
  const reload = useCallback(async () => {
    await Promise.all([refetch(), client.invalidateQueries({ queryKey: KEYS.runs })]);
  }, [refetch, client]);
  return {
    ...{ history, error, isDeleted, loadOlder, isLoadingOlder, entries, outgoing, reload, expectRun },
    active: live && live.state.end === undefined ? live : undefined,
    isLost: run.lost !== undefined || outgoing?.isLost === true,
    lastRunId: live?.id ?? latest?.id,
  };
}

const NONE: History['messages'] = [];

/** The messages without those that are about to be replaced. */
function useStanding(history: History | undefined, outgoing: Outgoing | undefined): History['messages'] {
  const messages = history?.messages ?? NONE;
  const replacedId = outgoing?.replaces?.messageId;
  return useMemo(() => {
    const at = replacedId === undefined ? -1 : messages.findIndex(({ id }) => id === replacedId);
    return at < 0 ? messages : messages.slice(0, at);
  }, [messages, replacedId]);
}

/** Once messages were deleted to be replaced, what was told live of them is forgotten, and the others asked for. */
function useRemoved(
  outgoing: Outgoing | undefined,
  forget: () => void,
  refetch: LoadedHistory['refetch'],
  client: QueryClient,
): void {
  const handled = useRef<string>(undefined);
  const key = outgoing?.isRemoved ? outgoing.key : undefined;
  useEffect(() => {
    if (key === undefined || handled.current === key) return;
    handled.current = key;
    forget();
    void refetchSurely(refetch, () => handled.current === key);
    void client.invalidateQueries({ queryKey: KEYS.runs });
    void client.invalidateQueries({ queryKey: KEYS.conversations });
  }, [key, forget, refetch, client]);
}

/** After how long a run is followed again of which the server would not tell, in milliseconds. */
const REFUSED_MS = 3000;

/** Follows the newest run until it has ended and its messages are among those of the history. */
function useLiveRun(
  latest: Run | null | undefined,
  outgoing: Outgoing | undefined,
  history: History | undefined,
  refetch: LoadedHistory['refetch'],
  client: QueryClient,
): {
  live: LiveRun | undefined;
  run: FollowedRun;
  followedId: string | undefined;
  told: ReadonlyMap<string, ToldStep>;
  /** Runs that were followed to their end, or forgotten. */
  ended: ReadonlySet<string>;
  forget: () => void;
} {
  const [followedId, follow] = useState<string>();
  const [ended, setEnded] = useState<ReadonlySet<string>>(new Set<string>());
  const settle = useCallback((id: string) => setEnded((before) => new Set([...before, id])), []);
  const told = useRef(new Map<string, ToldStep>());
  const run = useRun(followedId);
  const isFree = followedId === undefined || ended.has(followedId);
  const candidates = [outgoing?.runId, latest && isActive(latest) ? latest.id : undefined];
  const next = candidates.find((id) => id !== undefined && !ended.has(id));
  useEffect(() => {
    if (isFree && next !== undefined) follow(next);
  }, [isFree, next]);

  const isRefused = run.error !== undefined && run.state.end === undefined;
  const isOver = run.state.end !== undefined || isRefused;
  const state = useRef(run.state);
  state.current = run.state;
  useEffect(() => {
    if (!isOver || followedId === undefined) return;
    let isGone = false;
    const finish = async (): Promise<void> => {
      if (isRefused) await new Promise((resolve) => setTimeout(resolve, REFUSED_MS));
      if (isGone) return;
      const queryKeys = [KEYS.runs, KEYS.conversations, KEYS.approvals];
      const others = queryKeys.map((queryKey) => client.invalidateQueries({ queryKey }));
      const [stored] = await Promise.all([refetchSurely(refetch, () => !isGone), ...others]);
      if (isGone || !stored) return;
      // It may go on, and be told of again, such as to who has logged in meanwhile.
      if (isRefused) return follow(undefined);
      const parts = { live: { id: followedId, state: state.current }, told: told.current, lastRun: undefined };
      for (const [id, step] of toldOf({ ...parts, messages: stored.messages })) told.current.set(id, step);
      settle(followedId);
    };
    void finish();
    return () => {
      isGone = true;
    };
  }, [isOver, isRefused, followedId, settle, refetch, client]);

  const forget = useCallback(() => followedId !== undefined && settle(followedId), [followedId, settle]);
  const live = useMemo(
    () => (followedId === undefined || isFree ? undefined : { id: followedId, state: run.state }),
    [followedId, isFree, run.state],
  );
  return { live: history ? live : undefined, run, followedId, told: told.current, ended, forget };
}

/** How often messages are asked for that a run has left which was not followed. */
const LEFT_TRIES = 5;

/** A run that began or ended without being followed has left messages. */
function useEndedElsewhere(
  latest: Run | null | undefined,
  followedId: string | undefined,
  refetch: LoadedHistory['refetch'],
): void {
  const seen = useRef<string>(undefined);
  useEffect(() => {
    if (latest === undefined) return;
    const id = latest?.id ?? '';
    const isGoingOn = latest != null && isActive(latest);
    const now = `${id} ${isGoingOn}`;
    const isNews = seen.current !== undefined && seen.current !== now && id !== followedId && !isGoingOn;
    seen.current = now;
    let tries = 0;
    if (isNews) void refetchSurely(refetch, () => ++tries <= LEFT_TRIES);
  }, [latest, followedId, refetch]);
}

/** The list; what came before the live run is not made again with each of its events. */
function useShown({ messages, live, told, lastRun }: Parameters<typeof entriesOf>[0]): readonly Entry[] {
  const userId = live?.state.user?.id;
  const at = userId === undefined ? -1 : messages.findLastIndex(({ id }) => id === userId);
  const start = live && at >= 0 ? at : 0;
  const before = useMemo(
    () => entriesOf({ messages: messages.slice(0, start), live: undefined, told, lastRun: undefined }).map(notLast),
    [messages, start, told],
  );
  return useMemo(
    () => [...before, ...entriesOf({ messages: messages.slice(start), live, told, lastRun })],
    [before, messages, start, live, told, lastRun],
  );
}

function notLast(entry: Entry): Entry {
  if (entry.type === 'end') return { ...entry, isLast: false };
  if (entry.type === 'step' && entry.answer) return { ...entry, answer: { ...entry.answer, isLast: false } };
  return entry;
}

/** Has it arrived, although its answer was lost? */
function isTold(live: LiveRun | undefined, { body }: Outgoing): boolean {
  const told = live?.state.end === undefined ? live?.state.user?.content : undefined;
  return told !== undefined && JSON.stringify(told) === JSON.stringify(body.content);
}

function sendingEntry({ key, body }: Outgoing): UserEntry {
  return { type: 'user', key, id: undefined, content: body.content, isSending: true };
}
