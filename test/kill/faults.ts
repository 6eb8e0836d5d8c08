import { textOf } from '../../src/chat/content.ts';
import type { AssistantBody, UserBody } from '../../src/conversations/stored.ts';
import { wordsOf } from '../../src/core/words.ts';
import type { Usage } from '../../src/providers/chat-model.ts';
import { NOBODY } from '../../src/storage/conversations.ts';
import { MAX_INDEXED_CHARS } from '../../src/storage/search.ts';
import { findRunFaults, isOfRun } from './run-faults.ts';
import type { State } from './state.ts';
import { ANSWER_TOKENS } from './upstream.ts';

type Conversation = State['conversations'][number];
type Message = State['messages'][number];

/** One conversation with all that belongs to it, messages by their `seq`. */
interface Whole {
  conversation: Conversation;
  messages: Message[];
  calls: State['tool_calls'];
  compactions: State['compactions'];
  found: Set<number>;
}

const COPIED = 'copied';

/** Everything about a state at rest that must not be: half a turn, half a conversation, a wrong count. */
export function findFaults(state: State): string[] {
  const messages = Map.groupBy(state.messages, (row) => row.conversation);
  const calls = Map.groupBy(state.tool_calls, (row) => row.conversation);
  const compactions = Map.groupBy(state.compactions, (row) => row.conversation);
  const found = Map.groupBy(state.search, (entry) => entry.conversation);
  const each = state.conversations.flatMap((conversation) => {
    const { number, id } = conversation;
    const whole = {
      conversation,
      messages: messages.get(number) ?? [],
      calls: calls.get(number) ?? [],
      compactions: compactions.get(number) ?? [],
      found: new Set(found.get(number)?.map(({ seq }) => seq)),
    };
    return [rowFaults, turnFaults, countFaults, memoryFaults, searchFaults]
      .flatMap((faultsOf) => [...faultsOf(whole)])
      .map((fault) => `${id}: ${fault}`);
  });
  return [...leftBehind(state), ...ownerFaults(state), ...findRunFaults(state), ...each];
}

function* leftBehind(state: State): Generator<string> {
  for (const table of ['turns', 'orphans'] as const) {
    // Those of runs are looked at with their runs.
    const left = state[table].filter((row) => !('id' in row && isOfRun(String(row.id))));
    if (left.length > 0) yield `${table} are left: ${JSON.stringify(left)}`;
  }
  const known = new Set(state.conversations.map(({ number }) => number));
  for (const table of ['messages', 'tool_calls', 'compactions', 'search'] as const) {
    const lost = state[table].filter(({ conversation }) => !known.has(conversation));
    if (lost.length > 0) yield `${lost.length} ${table} are of no conversation`;
  }
}

function* ownerFaults({ conversations, conversation_counts }: State): Generator<string> {
  for (const [owner, { length }] of Map.groupBy(conversations, (row) => row.owner)) {
    if (owner === NOBODY) yield `${length} conversations are nobody's`;
    const counted = conversation_counts.find((row) => row.owner === owner)?.conversations;
    if (counted !== length) yield `${owner} has ${length} conversations, counted as ${counted}`;
  }
}

function* rowFaults({ conversation, messages, calls }: Whole): Generator<string> {
  for (const { id, seq, owner, status, error, role, size, calls: count, body } of messages) {
    const own = calls.filter((call) => call.seq === seq);
    if (owner !== conversation.owner) yield `${id} is of ${owner}`;
    if (status === 'running') yield `${id} is still running`;
    if ((status === 'failed') !== (error !== null)) yield `${id} is ${status} with the error ${error}`;
    if (own.length !== count) yield `${id} has ${own.length} calls of ${count}`;
    const length = own.reduce((sum, call) => sum + call.body.length + (call.result?.length ?? 0), body.length);
    // A result that came later is not in it.
    if (own.length === 0 && size !== length) yield `${id} has ${length} characters, not ${size}`;
    if (role === 'user' && own.length > 0) yield `${id} is a user's and has calls`;
  }
  const places = new Set(messages.map(({ seq }) => seq));
  for (const { seq } of calls) if (!places.has(seq)) yield `a call is of no message (${seq})`;
}

/** A turn is as a whole complete, with one answer (of a run some) that ends it, or failed, without one. */
function* turnFaults({ messages }: Whole): Generator<string> {
  for (const [turn, own] of Map.groupBy(messages, (message) => message.turn)) {
    if (turn === COPIED) continue;
    const statuses = new Set(own.map(({ status }) => status));
    if (statuses.size > 1) yield `${turn} is ${[...statuses].join(' and ')}`;
    const answers = own.filter(isAnswer);
    const count = isOfRun(turn) ? Math.min(answers.length, 1) : answers.length;
    if (count !== (statuses.has('failed') ? 0 : 1)) {
      yield `${turn} is ${[...statuses].join()} with ${answers.length} answers`;
    }
    const last = own.at(-1);
    if (answers.length > 0 && last !== answers.at(-1)) yield `${turn} goes on after its answer`;
    const [first] = own;
    if (last && first && last.seq - first.seq !== own.length - 1 && !statuses.has('complete')) {
      yield `${turn} is not in one piece`;
    }
  }
  for (const [index, { id, role, status, seq }] of messages.entries()) {
    if (role !== 'user' || status !== 'complete') continue;
    const next = messages[index + 1];
    if (next?.seq !== seq + 1 || next.status !== 'complete') yield `${id} is complete and has no answer`;
  }
}

function isAnswer(message: Message): boolean {
  return message.role === 'assistant' && bodyOf(message).provider !== undefined;
}

function* countFaults({ conversation, messages, compactions }: Whole): Generator<string> {
  const { last_seq, message_count, total_tokens, priced, unpriced, title_by } = conversation;
  const last = messages.at(-1)?.seq ?? 0;
  if (message_count !== messages.length) yield `${messages.length} messages are counted as ${message_count}`;
  if (last_seq < last) yield `the last message is ${last}, noted as ${last_seq}`;
  const answers = messages.filter((message) => message.turn !== COPIED && isAnswer(message));
  const paid = [
    ...answers.map((message) => bodyOf(message).usage?.totalTokens ?? 0),
    ...(title_by === 'model' ? [ANSWER_TOKENS] : []),
    ...compactions.flatMap(({ answer }) => (answer === null ? [] : [(JSON.parse(answer).usage as Usage).totalTokens])),
  ];
  const spent = paid.reduce((sum, tokens) => sum + tokens, 0);
  // What was spent on deleted messages stays counted, and a copy's summaries were paid for by the original.
  const isUncut = last_seq === messages.length && (answers.length > 0 || total_tokens > 0);
  if (isUncut && total_tokens !== spent) yield `${spent} tokens are counted as ${total_tokens}`;
  if (isUncut && priced + unpriced !== paid.length) yield `${paid.length} answers are counted as ${priced + unpriced}`;
}

function* memoryFaults({ conversation, messages, calls, compactions }: Whole): Generator<string> {
  const { compaction, covered_seq, live_tokens, last_seq } = conversation;
  const numbers = compactions.map(({ number }) => number).toSorted((a, b) => a - b);
  const current = compactions.find(({ number }) => number === compaction);
  if (numbers.some((number, index) => number !== index + 1) || compaction !== numbers.length) {
    yield `compaction ${compaction} is in force of ${numbers.join()}`;
  }
  if (covered_seq !== (current?.covered_seq ?? 0) || covered_seq > last_seq)
    yield `${covered_seq} messages are covered`;
  const live = messages.filter(({ seq, status }) => seq > covered_seq && status === 'complete');
  const results = calls.filter(({ seq }) => seq > covered_seq);
  const tokens = [...live, ...results].reduce((sum, row) => sum + row.tokens, 0);
  if (live_tokens !== tokens) yield `${tokens} tokens are live, noted as ${live_tokens}`;
}

function* searchFaults({ conversation, messages, found }: Whole): Generator<string> {
  const texts = new Map(messages.map((message) => [message.seq, wordsIn(message)]));
  texts.set(0, conversation.title);
  const wanted = new Set(
    [...texts].filter(([, text]) => wordsOf(text, MAX_INDEXED_CHARS).length > 0).map(([seq]) => seq),
  );
  for (const seq of wanted.difference(found)) yield `${seq} is not found`;
  for (const seq of found.difference(wanted)) yield `${seq} is found and is not there`;
}

/** What a message says. */
export function wordsIn(message: Message): string {
  return message.role === 'user' ? textOf((JSON.parse(message.body) as UserBody).content) : bodyOf(message).content;
}

function bodyOf({ body }: Message): AssistantBody {
  return JSON.parse(body) as AssistantBody;
}
