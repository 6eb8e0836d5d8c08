import type { Evidence, Tables } from './evidence.ts';
import type { RunCase } from './run-case.ts';
import { ANSWER_TOKENS } from './upstream.ts';

type Conversation = Tables['conversations'][number];

/** What is wrong with conversations, and what was left behind. */
export function* conversationFaults({ tables }: Evidence): Generator<string> {
  if (tables.turns.length > 0) yield `${tables.turns.length} turns are left`;
  if (tables.steering.length > 0) yield `${tables.steering.length} messages wait for runs that have ended`;
  const messages = Map.groupBy(tables.messages, (message) => message.conversation);
  const calls = Map.groupBy(tables.tool_calls, (call) => call.conversation);
  for (const conversation of tables.conversations) {
    const { number, id } = conversation;
    const runs = tables.runs.filter((run) => run.conversation === number);
    const whole = { messages: messages.get(number) ?? [], calls: calls.get(number) ?? [], runs };
    for (const fault of oneFaults(conversation, whole)) yield `${id}: ${fault}`;
  }
}

function* oneFaults(
  { last_seq, message_count, live_tokens, total_tokens }: Conversation,
  { messages, calls, runs }: { messages: Tables['messages']; calls: Tables['tool_calls']; runs: Tables['runs'] },
): Generator<string> {
  if (messages.some(({ seq }, index) => seq !== index + 1)) yield 'its messages are not numbered without a gap';
  if (last_seq !== messages.length || message_count !== messages.length)
    yield `${messages.length} messages are counted as ${message_count}, the last as ${last_seq}`;
  for (const { id, status, error } of messages) {
    if (status === 'running') yield `${id} is still running`;
    if ((status === 'failed') !== (error !== null)) yield `${id} is ${status} with the error ${error}`;
  }
  const live = messages.filter(({ status }) => status === 'complete');
  const seqs = new Set(live.map(({ seq }) => seq));
  const counted = [...live, ...calls.filter(({ seq }) => seqs.has(seq))];
  const tokens = counted.reduce((sum, row) => sum + row.tokens, 0);
  if (live_tokens !== tokens) yield `${tokens} tokens are live, noted as ${live_tokens}`;
  const spent = runs.reduce((sum, run) => sum + run.total_tokens, 0);
  if (total_tokens !== spent) yield `its runs have taken ${spent} tokens, noted as ${total_tokens}`;
  // One run after the other.
  const turns = messages.map(({ turn }) => turn);
  if (turns.some((turn, index) => index > 0 && turns[index - 1] !== turn && turns.indexOf(turn) !== index))
    yield 'the messages of its runs are mixed';
}

/** What is wrong with a run's own messages. */
export function* messageFaults({ run, messages, track }: RunCase): Generator<string> {
  const paid = messages.filter(({ role, body }) => role === 'assistant' && JSON.parse(body).usage !== undefined);
  const spent = paid.length * ANSWER_TOKENS.total_tokens;
  if (run.total_tokens !== spent) yield `its answers have cost ${spent} tokens, noted as ${run.total_tokens}`;
  const [first] = messages;
  if (first?.role !== 'user' || first.seq !== run.first_seq) yield `its first message is ${first?.seq}, ${first?.role}`;
  if (run.status === 'completed' && messages.some(({ status, role }) => status === 'failed' && role === 'assistant'))
    yield 'it is completed with a failed answer';
  if (run.message !== null && !messages.some(({ id }) => id === run.message))
    yield 'it ends with no message of its own';
  const asked = messages.filter(({ role }) => role === 'user').map(({ body }) => JSON.parse(body).content);
  const said = track?.steerings.map(({ content }) => content) ?? [];
  for (const content of new Set(asked)) {
    const count = asked.filter((one) => one === content).length;
    if (count > 1) yield `${content} is there ${count} times`;
  }
  if (asked.slice(1).some((content) => !said.includes(content))) yield 'it has messages that nobody has sent';
}
