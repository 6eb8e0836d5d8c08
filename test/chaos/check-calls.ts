import type { LogEvent, RunCase, StoredCall } from './run-case.ts';

const ALLOWED = ['allow-once', 'allow-always'];

/** What is wrong with a run's calls: each is said once, ends once, and has its effect no more than once. */
export function* callFaults(given: RunCase): Generator<string> {
  const { events, calls } = given;
  const said = eventsOf(events, 'tool:call', 'toolCallId');
  const results = eventsOf(events, 'tool:result', 'toolCallId');
  for (const [id, own] of said) if (own.length > 1) yield `the call ${id} begins ${own.length} times`;
  for (const [id, own] of results) {
    if (own.length > 1) yield `the call ${id} has ${own.length} results`;
    const call = said.get(id)?.[0];
    if (!call || call.seq > (own[0]?.seq ?? 0)) yield `the call ${id} has a result and has not begun`;
  }
  for (const id of said.keys()) if (!results.has(id)) yield `the call ${id} has no result`;
  const known = new Set(calls.map(({ id }) => id));
  for (const id of said.keys()) if (!known.has(id)) yield `the call ${id} is not stored`;
  for (const call of calls) yield* storedFaults(call, results.get(call.id)?.[0]);
  for (const { seq, type, data } of events) {
    if (type !== 'tool:progress') continue;
    const begin = said.get(data.toolCallId)?.[0]?.seq ?? Number.POSITIVE_INFINITY;
    const end = results.get(data.toolCallId)?.[0]?.seq ?? 0;
    if (seq < begin || seq > end) yield `event ${seq} is progress of a call that does not go on`;
  }
  yield* approvalFaults(given);
  yield* effectFaults(given);
}

function eventsOf(events: readonly LogEvent[], type: string, field: string): Map<string, LogEvent[]> {
  return Map.groupBy(
    events.filter((event) => event.type === type),
    ({ data }) => String(data[field]),
  );
}

function* storedFaults({ row, id }: StoredCall, result: LogEvent | undefined): Generator<string> {
  if (!result) yield `the call ${id} is ${row.status} and has no result`;
  else if (result.data.status !== row.status || JSON.stringify(result.data.result) !== row.result)
    yield `the call ${id} is ${row.status} with ${row.result}, and its event says ${result.data.status}`;
}

function* approvalFaults({ events, approvals, answers }: RunCase): Generator<string> {
  const asked = eventsOf(events, 'approval:required', 'id');
  const resolved = eventsOf(events, 'approval:resolved', 'id');
  const rows = new Map(approvals.map((row) => [row.id, row]));
  for (const id of new Set([...asked.keys(), ...resolved.keys()])) if (!rows.has(id)) yield `${id} is not stored`;
  for (const [id, { status, edited_arguments }] of rows) {
    const ends = resolved.get(id) ?? [];
    if (asked.get(id)?.length !== 1) yield `${id} is asked ${asked.get(id)?.length ?? 0} times`;
    if (ends.length !== 1) yield `${id} is answered ${ends.length} times`;
    const { decision } = ends[0]?.data ?? {};
    const told = ALLOWED.includes(decision) ? 'allowed' : decision === 'deny' ? 'denied' : decision;
    if (status !== told) yield `${id} is ${status}, and its event says ${decision}`;
    const own = answers.filter(({ approval }) => approval === id);
    const good = own.filter((answer) => answer.told.status === 200);
    if (good.length > 1) yield `${good.length} answers to ${id} were told that theirs counts`;
    if ((status === 'allowed' || status === 'denied') && own.length === 0) yield `nobody has answered ${id}`;
    const [first] = good;
    if (!first) continue;
    if (first.decision !== decision) yield `${id}: ${first.decision} was taken, and it is ${decision}`;
    const edited = first.editedArguments ? JSON.stringify(first.editedArguments) : null;
    if (edited !== edited_arguments) yield `${id}: its arguments were edited to ${edited}, not ${edited_arguments}`;
  }
}

function* effectFaults({ approvals, calls, effects, track }: RunCase): Generator<string> {
  for (const call of calls) {
    const { idempotencyKey, id, name, row, given } = call;
    if (name !== 'note' && name !== 'mark') continue;
    const own = effects[name].filter((effect) => effect.idempotencyKey === idempotencyKey);
    const asked = approvals.filter(({ message_seq, position }) => message_seq === row.seq && position === row.position);
    if (own.length > 1) yield `the call ${id} of ${name} has had its effect ${own.length} times`;
    if (row.status === 'success' && own.length === 0) yield `the call ${id} of ${name} has not had its effect`;
    const isAllowed = asked.some(({ status }) => status === 'allowed');
    if (own.length > 0 && track?.plan.mode === 'ask' && !isAllowed) yield `nobody has allowed the call ${id}`;
    if (own.length > 0 && row.status === 'denied' && asked.length < 2 && track?.plan.mode === 'ask')
      yield `the call ${id} was denied and carried out`;
    // What is asked after a crash is whether to do the same once more.
    let expected = given.text;
    for (const approval of asked) {
      if (JSON.parse(approval.arguments).text !== expected) yield `${approval.id} asks for other arguments than before`;
      if (approval.edited_arguments !== null) expected = JSON.parse(approval.edited_arguments).text;
    }
    for (const { text } of own)
      if (text !== expected) yield `the call ${id} was carried out with ${text}, not ${expected}`;
  }
}
