import type { Told } from './client.ts';
import type { Evidence } from './evidence.ts';
import { runNamed } from './people.ts';
import type { RunCase } from './run-case.ts';
import type { Seen } from './watcher.ts';

/** Runs that nobody has started, and starts that have come to nothing. */
export function* startFaults({ tables, tracks }: Evidence): Generator<string> {
  const started = new Set(tracks.flatMap(({ run }) => run ?? []));
  for (const { plan, run } of tracks) {
    if (run === undefined) yield `run ${plan.run} was started and is not there`;
    else if (!tables.runs.some(({ id }) => id === run)) yield `${run} is gone`;
  }
  for (const { id } of tables.runs) if (!started.has(id)) yield `${id} was not started by anybody, or twice`;
  if (started.size !== tracks.length) yield `${tracks.length} starts have made ${started.size} runs`;
}

/** What is wrong with what those around a run have been told. */
export function* peopleFaults(given: RunCase): Generator<string> {
  const { run, track } = given;
  if (!track) return;
  const { plan, starts, cancels, watchers } = track;
  for (const [index, watcher] of watchers.entries()) {
    for (const refusal of watcher.refusals) yield `watcher ${index} was refused: ${refusal.slice(0, 200)}`;
    if (!watcher.isAtEnd) yield `watcher ${index} has not seen the end`;
    else if (watcher.isLetGo === false) yield `watcher ${index} came back after the end and was kept waiting`;
    yield* seenFaults(given, `watcher ${index}`, watcher.seen, watcher.isAtEnd);
  }
  for (const start of starts) yield* startAnswerFaults(given, start);
  if (plan.kind === 'tools') for (const start of starts) yield* turnFaults(given, start);
  const good = cancels.filter(({ status }) => status === 200);
  if (good.length > 1) yield `${good.length} were told that they have cancelled it`;
  if (good.length > 0 && run.status !== 'cancelled') yield `it was cancelled and is ${run.status}`;
  if (run.status === 'cancelled' && !plan.cancel) yield 'nobody has cancelled it';
  yield* steeringFaults(given);
  yield* shownFaults(given);
}

function* seenFaults({ events }: RunCase, who: string, seen: readonly Seen[], isAtEnd: boolean): Generator<string> {
  for (const [index, { id, data }] of seen.entries()) {
    if (id === index + 1 && data === events[index]?.line) continue;
    yield `${who} has seen event ${id} as its event ${index + 1}: ${data.slice(0, 150)}, not ${events[index]?.line.slice(0, 150)}`;
    return;
  }
  if (isAtEnd && seen.length !== events.length) yield `${who} has seen ${seen.length} events of ${events.length}`;
}

/** Each answer to a start is of the one run. */
function* startAnswerFaults(given: RunCase, { status, body }: Told): Generator<string> {
  const { run, track } = given;
  const id = runNamed({ status, body });
  if (id !== run.id) yield `a start was told that it has made ${id}`;
  if (track?.plan.kind !== 'agent' || status !== 200) return;
  const seen = Array.from(String(body).matchAll(/^id: (\d+)\ndata: (.*)$/gm), ([, number, data]) => ({
    id: Number(number),
    data: data ?? '',
  }));
  // A node that ends lets its watchers go before the end.
  yield* seenFaults(given, 'a start', seen, false);
}

/** What `with-tools` has answered is what the run had come to. */
function* turnFaults({ run }: RunCase, { status, body }: Told): Generator<string> {
  if (status !== 200) return;
  const answer =
    typeof body === 'string'
      ? JSON.parse(/^data: (.*)$/.exec(body.trim().split('\n').at(-1) ?? '')?.[1] ?? '{}')
      : body;
  // A stream's last word may be an error.
  if (answer.error !== undefined) return;
  const { finishReason, pendingApprovals, assistantMessage } = answer;
  if (finishReason === 'approval-required') {
    if (pendingApprovals.length === 0) yield 'a start was told that it waits for nothing';
  } else if (finishReason === 'cancelled') {
    if (run.status !== 'cancelled') yield 'a start was told that it was cancelled';
  } else if (run.status !== 'completed' || assistantMessage?.id !== run.message)
    yield `a start was answered with ${assistantMessage?.id} (${finishReason}), and it ended with ${run.message}`;
}

/** What was said and taken is in the log and in the conversation once; what was refused is in neither. */
function* steeringFaults({ events, messages, track }: RunCase): Generator<string> {
  for (const { content, told } of track?.steerings ?? []) {
    const said = events.filter(({ type, data }) => type === 'user_message' && data.content === content);
    const kept = messages.filter(({ role, body }) => role === 'user' && JSON.parse(body).content === content);
    if (said.length > 1) yield `${content} is ${said.length} times in the log`;
    if (kept.length !== said.length)
      yield `${content} is ${said.length} times in the log and ${kept.length} times kept`;
    if (told?.status === 201 && said[0]?.data.id !== told.body.id) yield `${content} was taken and is not there`;
    if (said[0] && said[0].data.id !== kept[0]?.id) yield `${content} has two ids`;
  }
}

/** The API shows what is stored. */
function* shownFaults({ run, events, messages, calls, approvals, shown }: RunCase): Generator<string> {
  if (!shown) return;
  const { status, lastEventId, steps, toolCalls, approvals: asked } = shown.run;
  if (status !== run.status || lastEventId !== run.last_seq || steps !== run.steps)
    yield 'it is shown in another state';
  if (toolCalls.length !== calls.length || asked.length !== approvals.length) yield 'not all its calls are shown';
  if (events.some(({ seq, line }) => shown.events.get(seq) !== line) || shown.events.size !== events.length)
    yield 'its events are shown in another way';
  for (const { id, body, status: state } of messages) {
    const one = shown.messages.find((message) => message.id === id);
    if (one?.status !== state || one.content !== JSON.parse(body).content) yield `${id} is shown in another way`;
  }
}
