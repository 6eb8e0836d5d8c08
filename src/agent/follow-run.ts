import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { readEvents, type StoredEvent } from '../storage/run-events.ts';
import { getRun, isActive, type RunRow } from '../storage/runs.ts';
import type { AgentContext } from './context.ts';

/** What a watcher gets: events in order, or nothing for a while, or the news that its place does not exist any more. */
export type News =
  | { type: 'events'; events: readonly StoredEvent[] }
  | { type: 'idle' }
  /** All events up to where it goes on, as they are now. */
  | { type: 'reset'; events: readonly StoredEvent[] };

const EVENTS_AT_ONCE = 500;
const IDLE_MS = 15_000;
const LAST = new Set(['complete', 'error']);

/**
 * The events of a run after one of them, to its end, as they are stored; wherever it runs.
 * @param after the number of an event; 0: from the start.
 * @param signal ends the watching.
 * @throws NotFoundError, InvalidRequestError for a place that the run has not reached.
 */
export async function followRun(
  context: AgentContext,
  id: string,
  after: number,
  signal: AbortSignal,
): Promise<{ run: RunRow; news: AsyncGenerator<News> }> {
  const run = await getRun(context.db, context.owner, id);
  if (!run) throw new NotFoundError('Run', id);
  if (after > run.last_seq) {
    const message = `the run has ${run.last_seq} events so far, so nothing comes after event ${after}; leave it out to begin at the start`;
    throw new InvalidRequestError([{ path: 'after', message }]);
  }
  return { run, news: watch(context, run, after, AbortSignal.any([signal, context.runs.stopping])) };
}

async function* watch(context: AgentContext, run: RunRow, after: number, signal: AbortSignal): AsyncGenerator<News> {
  const { db, owner, runs } = context;
  const { id } = run;
  const tail = runs.events.watch(id);
  let seq = after;
  /** At which of the tail's pokes the table was last read to its end. */
  let readAt: number | undefined;
  // Whoever has seen the end comes back all the same.
  let hasEnded = !isActive(run.status) && after >= run.last_seq;
  try {
    while (!signal.aborted && !hasEnded) {
      const { version, pokes } = tail;
      let events: readonly StoredEvent[] | undefined = tail.after(seq);
      if (!events && readAt === pokes && tail.isLast(seq)) events = [];
      if (!events) {
        events = await readEvents(db, owner, id, { after: seq, limit: EVENTS_AT_ONCE });
        if (events.length === 0) readAt = pokes;
      }
      const [first] = events;
      const last = events.at(-1);
      if (first && last) {
        // The event that the watcher saw last is part of another one by now.
        const isFolded = first.firstSeq <= seq;
        if (isFolded) yield { type: 'reset', events: await eventsUpTo(context, id, first.seq) };
        const rest = isFolded ? events.slice(1) : events;
        if (rest.length > 0) yield { type: 'events', events: rest };
        seq = last.seq;
        hasEnded = LAST.has(last.type);
      } else if (tail.isGone) return;
      else if (!(await tail.changed(version, IDLE_MS, signal)) && !signal.aborted) yield { type: 'idle' };
    }
  } finally {
    tail.leave();
  }
}

async function eventsUpTo({ db, owner }: AgentContext, id: string, upTo: number): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after = 0; after < upTo; ) {
    const events = await readEvents(db, owner, id, { after, limit: EVENTS_AT_ONCE });
    all.push(...events.filter(({ seq }) => seq <= upTo));
    after = events.at(-1)?.seq ?? upTo;
  }
  return all;
}
