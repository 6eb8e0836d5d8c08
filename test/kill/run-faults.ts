import type { Usage } from '../../src/providers/chat-model.ts';
import { isActive } from '../../src/storage/runs.ts';
import type { State } from './state.ts';

type Run = State['runs'][number];
type Event = State['run_events'][number];

/** Is a turn that of a run? */
export function isOfRun(turn: string): boolean {
  return turn.startsWith('run_');
}

/** Everything about the runs of a state at rest that must not be. One that waits for a person is at rest. */
export function findRunFaults(state: State): string[] {
  const events = Map.groupBy(state.run_events, ({ run }) => run);
  const each = state.runs.flatMap((run) => {
    const own = events.get(run.id) ?? [];
    return [statusFaults, logFaults, approvalFaults, tokenFaults]
      .flatMap((faultsOf) => [...faultsOf(run, own, state)])
      .map((fault) => `${run.id}: ${fault}`);
  });
  return [...strays(state), ...each];
}

function* strays({ conversations, runs, run_events, approvals, steering, tool_rules }: State): Generator<string> {
  const numbers = new Set(conversations.map(({ number }) => number));
  const ids = new Set(runs.map(({ id }) => id));
  const isOfNone = ({ conversation }: { conversation: number }) => conversation !== 0 && !numbers.has(conversation);
  for (const [name, rows] of Object.entries({ runs, approvals, tool_rules })) {
    const { length } = rows.filter(isOfNone);
    if (length > 0) yield `${length} ${name} are of no conversation`;
  }
  for (const [name, rows] of Object.entries({ run_events, approvals, steering })) {
    const { length } = rows.filter(({ run }) => !ids.has(run));
    if (length > 0) yield `${length} ${name} are of no run`;
  }
}

function* statusFaults(run: Run, _: Event[], { turns, messages, steering }: State): Generator<string> {
  const { id, status, error, finished_at, message } = run;
  const isWaiting = status === 'waiting_approval';
  if (isActive(status) && !isWaiting) yield `is still ${status}`;
  if (turns.some((turn) => turn.id === id) !== isActive(status)) yield `is ${status}, and its turn is not so`;
  if ((finished_at === null) !== isActive(status)) yield `is ${status} and ended at ${finished_at}`;
  if ((error === null) !== ['waiting_approval', 'completed'].includes(status)) yield `is ${status} with ${error}`;
  if (status === 'completed' && !messages.some((row) => row.id === message))
    yield `its message ${message} is not there`;
  if (!isActive(status) && steering.some((row) => row.run === id)) yield 'has ended with messages that nobody has seen';
}

function* logFaults({ status, last_seq }: Run, events: Event[]): Generator<string> {
  const order = events.toSorted((a, b) => a.seq - b.seq);
  if (order.some(({ seq }, index) => seq !== index + 1) || order.length !== last_seq)
    yield `its log has ${order.length} events of ${last_seq}`;
  const ends = order.filter(({ type }) => type === 'complete' || type === 'error').length;
  const last = order.at(-1)?.type;
  if (ends !== (isActive(status) ? 0 : 1)) yield `its log ends ${ends} times`;
  if (!isActive(status) && last !== 'complete' && last !== 'error') yield `its log ends with ${last}`;
  const ids = (type: string): string[] =>
    order.filter((event) => event.type === type).map(({ data }): string => JSON.parse(data).toolCallId);
  const [begun, ended] = [ids('tool:call'), ids('tool:result')];
  if (new Set(ended).size !== ended.length) yield 'a call has two results';
  if (new Set(begun).size !== begun.length) yield 'a call begins twice';
  if (!isActive(status) && begun.join() !== ended.join()) yield `${begun.length} calls have ${ended.length} results`;
}

function* approvalFaults({ id, status }: Run, events: Event[], { approvals }: State): Generator<string> {
  const own = approvals.filter(({ run }) => run === id);
  const pending = own.filter((approval) => approval.status === 'pending');
  if (pending.length > 0 !== (status === 'waiting_approval')) yield `is ${status} with ${pending.length} questions`;
  const told = (type: string): number => events.filter((event) => event.type === type).length;
  if (told('approval:required') !== own.length) yield `${own.length} questions are told of otherwise`;
  if (told('approval:resolved') !== own.length - pending.length) yield 'answers to questions are told of otherwise';
}

function* tokenFaults({ id, total_tokens }: Run, _: Event[], { messages }: State): Generator<string> {
  const answers = messages.filter(({ turn, role }) => turn === id && role === 'assistant');
  const usages = answers.map(({ body }): Usage | undefined => JSON.parse(body).usage);
  const spent = usages.reduce((sum, usage) => sum + (usage?.totalTokens ?? 0), 0);
  if (spent !== total_tokens) yield `${spent} tokens are counted as ${total_tokens}`;
}
