import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Json } from '../server.ts';
import type { Evidence } from './evidence.ts';
import type { TrackReport } from './people.ts';
import { usualSuite } from './presets.ts';
import { runSuite } from './suite.ts';
import { findViolations } from './violations.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

// Each thing that must not be is put into what was found of runs that went well, and has to be seen.

let good: Evidence;

beforeAll(async () => {
  const wishes = { cancelled: 0.3, asking: 0.8, words: { least: 8, most: 30 } };
  const { evidence, violations } = await runSuite(
    usualSuite({ databaseUrl: undefined, seed: 5, runs: 10, faults: 0, wishes }),
  );
  expect(violations).toEqual([]);
  good = plain(evidence);
});

/** Watchers are objects with secrets. */
function plain({ tracks, ...rest }: Evidence): Evidence {
  const reports = tracks.map(({ watchers, ...track }: TrackReport): TrackReport => {
    const seen = watchers.map(({ seen, refusals, isAtEnd, isLetGo, cuts }) => ({
      ...{ seen, refusals, isAtEnd, isLetGo, cuts },
    }));
    return { ...track, watchers: seen };
  });
  return structuredClone({ ...rest, tracks: reports });
}

type Draft = ReturnType<typeof draftOf>;

/** What a test may change: a completed run that has noted something, and all around it. */
function draftOf(evidence: Evidence) {
  const { tables, tracks, effects, ...rest } = structuredClone(evidence);
  const { idempotencyKey } = effects.note[0]!;
  const message = tables.messages.find(({ id }) => idempotencyKey.startsWith(id))!;
  const run = tables.runs.find(
    ({ id, status }) =>
      status === 'completed' && tables.messages.some(({ turn, id: own }) => turn === id && hasNote(effects, own)),
  )!;
  const events = tables.run_events.filter((event) => event.run === run.id);
  const track = tracks.find((one) => one.run === run.id)!;
  const conversation = tables.conversations.find(({ number }) => number === run.conversation)!;
  const messages = tables.messages.filter(({ turn }) => turn === run.id);
  const note = effects.note.find((one) => messages.some(({ id }) => one.idempotencyKey.startsWith(id)))!;
  const watcher = track.watchers[0]!;
  const first = (type: string) => events.find((event) => event.type === type)!;
  return {
    ...rest,
    tables,
    tracks,
    effects,
    message,
    run,
    events,
    track,
    conversation,
    messages,
    note,
    watcher,
    first,
  };
}

function hasNote(effects: Evidence['effects'], id: string): boolean {
  return effects.note.some(({ idempotencyKey }) => idempotencyKey.startsWith(`${id}:`));
}

function change<T extends object>(what: T, changes: Partial<T>): void {
  Object.assign(what, changes);
}

function changeAll<T extends object>(all: readonly T[], changes: Partial<T>): void {
  for (const one of all) change(one, changes);
}

/** Changes the data of an event. */
function rewrite(event: { data: string }, change: (data: Json) => void): void {
  const data = JSON.parse(event.data);
  change(data);
  event.data = JSON.stringify(data);
}

/** Adds an event to the end of a run's log. */
function again({ tables, events, run }: Draft, event: Draft['events'][number], seq = events.length + 1): void {
  tables.run_events.push({ ...event, seq });
  run.last_seq = seq;
}

const CHANGES: [string, (draft: Draft) => void, RegExp][] = [
  ['a gap', ({ first }) => void first('content').seq++, /has the number/],
  ['another last number', ({ run }) => void run.last_seq++, /events, and the last is/],
  ['another beginning', ({ first }) => change(first('user_message'), { type: 'content' }), /it begins with/],
  ['something after the end', (draft) => again(draft, draft.first('content')), /its last event is content/],
  ['a second end', (draft) => again(draft, draft.first('complete')), /it has 2 ends/],
  ['no end', ({ first }) => change(first('complete'), { type: 'summary' }), /it has 0 ends/],
  ['another status', ({ run }) => change(run, { status: 'cancelled' }), /its last event says/],
  ['a run that goes on', ({ run }) => change(run, { status: 'running' }), /its last event says/],
  [
    'a reason of its own',
    ({ tables }) => changeAll(tables.runs, { error: '{"code":"internal"}' }),
    /failed for another reason/,
  ],
  ['no summary', ({ first }) => change(first('summary'), { type: 'waiting' }), /it ends with waiting/],
  ['another sum', ({ first }) => rewrite(first('complete'), (data) => data.totalTokens++), /tokens, and its end says/],
  [
    'a call too many',
    ({ first }) => rewrite(first('complete'), (data) => data.toolCalls.push({})),
    /calls, its end says/,
  ],
  ['another last message', ({ run }) => change(run, { message: 'msg_other' }), /ended with the message msg_other/],
  ['a step twice', ({ first }) => rewrite(first('step:start'), (data) => data.step++), /begins step 2 after step 0/],
  ['a text of no step', ({ first }) => rewrite(first('content'), (data) => data.step++), /is of step \d, while/],
  ['no end of a step', ({ first }) => change(first('step:complete'), { type: 'waiting' }), /while 1 goes on/],
  [
    'another message of a step',
    ({ first }) => rewrite(first('step:complete'), (data) => change(data, { messageId: 'x' })),
    /not x/,
  ],
  ['a step too many', ({ run }) => void run.steps++, /steps have begun, noted as/],
  [
    'another text',
    ({ first }) => rewrite(first('content'), (data) => change(data, { text: `${data.text}!` })),
    /is not what its events say/,
  ],
  [
    'a text void',
    ({ events }) => change(events.findLast(({ type }) => type === 'content')!, { type: 'attempt:reset' }),
    /is not what its events say/,
  ],
  ['a call twice', (draft) => again(draft, draft.first('tool:call')), /begins 2 times/],
  ['a result twice', (draft) => again(draft, draft.first('tool:result')), /has 2 results/],
  ['a call without an end', ({ first }) => change(first('tool:result'), { type: 'waiting' }), /has no result/],
  [
    'a result without a call',
    ({ first }) => change(first('tool:call'), { type: 'waiting' }),
    /has a result and has not begun/,
  ],
  [
    'another result',
    ({ first }) => rewrite(first('tool:result'), (data) => change(data, { result: 'x' })),
    /and its event says/,
  ],
  [
    'progress of nothing',
    ({ first }) => rewrite(first('tool:progress'), (data) => change(data, { toolCallId: 'x' })),
    /progress of a call/,
  ],
  ['a call that goes on', ({ tables }) => changeAll(tables.tool_calls, { status: 'pending' }), /is pending/],
  ['a lost call', ({ tables }) => change(tables, { tool_calls: [] }), /is not stored/],
  ['an effect twice', ({ effects, note }) => void effects.note.push(note), /has had its effect 2 times/],
  ['no effect', ({ effects }) => change(effects, { note: [] }), /has not had its effect/],
  ['another effect', ({ note }) => change(note, { text: 'x' }), /was carried out with x/],
  ['an effect of nobody', ({ note }) => change(note, { idempotencyKey: 'x' }), /an effect is of no call: x/],
  ['nobody allowed it', ({ tables }) => change(tables, { approvals: [] }), /nobody has allowed/],
  [
    'a question that is open',
    ({ tables }) => changeAll(tables.approvals, { status: 'pending' }),
    /is pending, and its event/,
  ],
  ['other edits', ({ tables }) => changeAll(tables.approvals, { edited_arguments: '{}' }), /were edited to/],
  [
    'two answers that count',
    ({ answers }) =>
      changeAll(
        answers.map(({ told }) => told),
        { status: 200 },
      ),
    /were told that theirs counts/,
  ],
  ['a turn left', ({ tables }) => void tables.turns.push({} as never), /1 turns are left/],
  ['words unheard', ({ tables }) => void tables.steering.push({} as never), /1 messages wait for runs/],
  ['a message that goes on', ({ message }) => change(message, { status: 'running' }), /is still running/],
  ['a message with an error', ({ message }) => change(message, { error: '{}' }), /is complete with the error/],
  ['a message in another place', ({ message }) => change(message, { seq: 999 }), /not numbered without a gap/],
  ['a message too many', ({ conversation }) => void conversation.message_count++, /are counted as/],
  ['another length', ({ conversation }) => void conversation.live_tokens++, /tokens are live, noted as/],
  ['another price', ({ conversation }) => void conversation.total_tokens++, /its runs have taken/],
  ['another price of a run', ({ run }) => void run.total_tokens++, /its answers have cost/],
  ['a mix of words', ({ messages }) => swapBodies(messages), /has words of another step or try/],
  ['a question twice', ({ tables, messages }) => void tables.messages.push(messages[0]!), /is there 2 times/],
  ['a run that nobody started', ({ track }) => change(track, { run: undefined }), /was not started by anybody/],
  ['a run that is gone', ({ tables }) => change(tables, { runs: [] }), /is gone/],
  [
    'a start with two runs',
    ({ track }) => change(track.starts[0]!, { body: '"runId":"x"' }),
    /was told that it has made x/,
  ],
  [
    'an answer that is not the last',
    ({ tracks }) => changeAll(answersOfTurns(tracks), { assistantMessage: { id: 'x' }, finishReason: 'stop' }),
    /a start was answered with x/,
  ],
  ['a watcher who missed one', ({ watcher }) => void watcher.seen.splice(3, 1), /has seen event 5 as its event 4/],
  [
    'a watcher who saw one twice',
    ({ watcher }) => void watcher.seen.splice(3, 0, watcher.seen[3]!),
    /has seen event 4 as its event 5/,
  ],
  [
    'a watcher who saw another one',
    ({ watcher }) => change(watcher.seen[3]!, { data: 'x' }),
    /has seen event 4 as its event 4/,
  ],
  ['a watcher who left early', ({ watcher }) => void watcher.seen.pop(), /has seen \d+ events of/],
  ['a watcher who is kept', ({ watcher }) => change(watcher, { isLetGo: false }), /kept waiting/],
  ['a watcher without an end', ({ watcher }) => change(watcher, { isAtEnd: false }), /has not seen the end/],
  ['a watcher who was refused', ({ watcher }) => void watcher.refusals.push('400'), /was refused: 400/],
  [
    'a cancellation of nothing',
    ({ track }) => void track.cancels.push({ status: 200, body: {} }),
    /was cancelled and is completed/,
  ],
  [
    'words that were lost',
    ({ track }) => void track.steerings.push({ content: 'x', told: { status: 201, body: { id: 'x' } } }),
    /was taken and is not there/,
  ],
  [
    'another status shown',
    ({ shown, run }) => change(shown.get(run.id)!.run, { status: 'x' }),
    /is shown in another state/,
  ],
  [
    'other events shown',
    ({ shown, run }) => void shown.get(run.id)!.events.delete(3),
    /events are shown in another way/,
  ],
  ['other messages shown', ({ shown, run }) => void shown.get(run.id)!.messages.pop(), /is shown in another way/],
  ['a crash', ({ crashes }) => void (crashes as string[]).push('a node ended by itself'), /ended by itself/],
];

/** What was told to those who wait for the answer. */
function answersOfTurns(tracks: Draft['tracks']): Json[] {
  return tracks.flatMap(({ starts }) => starts.flatMap(({ body }) => (body.runId === undefined ? [] : [body])));
}

function swapBodies(messages: Draft['messages']): void {
  const [one, two] = messages.filter(({ role }) => role === 'assistant');
  [one!.body, two!.body] = [two!.body, one!.body];
}

describe('what must not be is seen:', () => {
  it('nothing where nothing is', () => {
    const statuses = new Set(good.tables.runs.map(({ status }) => status));
    expect([...statuses].toSorted()).toEqual(['cancelled', 'completed', 'failed']);
    expect(findViolations(good)).toEqual([]);
  });

  it.each(CHANGES)('%s', (_, change, expected) => {
    const draft = draftOf(good);
    change(draft);
    expect(findViolations(draft).join('\n')).toMatch(expected);
  });
});
