import type { Json } from '../server.ts';
import type { Answered } from './approver.ts';
import type { Effect } from './effects.ts';
import type { Evidence, Shown, Tables } from './evidence.ts';
import type { TrackReport } from './people.ts';

/** An event as it is stored. `line`: as it has to be sent. */
export interface LogEvent {
  seq: number;
  type: string;
  data: Json;
  line: string;
}

/** One run with all that belongs to it. */
export interface RunCase {
  run: Tables['runs'][number];
  events: LogEvent[];
  /** By `seq`. */
  messages: Tables['messages'];
  /** Of the assistant's messages, in order. */
  calls: StoredCall[];
  approvals: Tables['approvals'];
  answers: Answered[];
  effects: { note: Effect[]; mark: Effect[] };
  track: TrackReport | undefined;
  shown: Shown | undefined;
}

/** A call as it is stored, with what the model has written. */
export interface StoredCall {
  row: Tables['tool_calls'][number];
  id: string;
  name: string;
  given: Json;
  idempotencyKey: string;
}

/** Puts together what belongs to each run. */
export function runCases(evidence: Evidence): RunCase[] {
  const { tables, tracks, answers, effects, shown } = evidence;
  const events = Map.groupBy(tables.run_events, ({ run }) => run);
  const messages = Map.groupBy(tables.messages, ({ turn }) => turn);
  const approvals = Map.groupBy(tables.approvals, ({ run }) => run);
  return tables.runs.map((run): RunCase => {
    const own = messages.get(run.id) ?? [];
    const calls = own.flatMap((message) => callsOf(message, tables.tool_calls));
    const keys = new Set(calls.map(({ idempotencyKey }) => idempotencyKey));
    const asked = approvals.get(run.id) ?? [];
    const ids = new Set(asked.map(({ id }) => id));
    const ownEffects = (all: Effect[]): Effect[] => all.filter(({ idempotencyKey }) => keys.has(idempotencyKey));
    return {
      run,
      events: (events.get(run.id) ?? []).map(toLogEvent),
      messages: own,
      calls,
      approvals: asked,
      answers: answers.filter(({ approval }) => ids.has(approval)),
      effects: { note: ownEffects(effects.note), mark: ownEffects(effects.mark) },
      track: tracks.find((track) => track.run === run.id),
      shown: shown.get(run.id),
    };
  });
}

function callsOf(message: Tables['messages'][number], calls: Tables['tool_calls']): StoredCall[] {
  const own = calls.filter(({ conversation, seq }) => conversation === message.conversation && seq === message.seq);
  return own.map((row) => {
    const { id, name, arguments: given } = JSON.parse(row.body);
    return { row, id, name, given, idempotencyKey: `${message.id}:${row.position}` };
  });
}

function toLogEvent({ seq, type, data, created_at }: Tables['run_events'][number]): LogEvent {
  const line = `{"type":${JSON.stringify(type)},"data":${data},"timestamp":${created_at}}`;
  return { seq, type, data: JSON.parse(data), line };
}

/** The assistant's messages of a run: one for each step that came to its end. */
export function answersOf({ messages }: RunCase): { id: string; body: Json; calls: number }[] {
  return messages
    .filter(({ role }) => role === 'assistant')
    .map(({ id, body, calls }) => ({ id, calls, body: JSON.parse(body) }));
}
