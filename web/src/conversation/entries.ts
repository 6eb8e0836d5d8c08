import type { MessageContent } from '../../../src/client/run-events.ts';
import type { ApprovalState, RunState, SaidItem, StepItem, StepState } from '../../../src/client/run-state.ts';
import type { Message, Run } from '../../../src/client/types.ts';
import { stepOf } from './step-of.ts';
import { summaryOf } from './summary-of.ts';

/** What stands in the list of a conversation, one below the other. Keys stay when what is live has been stored. */
export type Entry = UserEntry | StepEntry | EndEntry;

export interface UserEntry {
  type: 'user';
  key: string;
  /** Of the stored message; undefined while it is being sent. */
  id: string | undefined;
  content: MessageContent;
  isSending: boolean;
}

export interface StepEntry {
  type: 'step';
  key: string;
  step: StepState;
  approvals: readonly ApprovalState[];
  isLive: boolean;
  /** Undefined until it is stored. */
  message: Message | undefined;
  /** There at the last step of what follows a message. */
  answer: AnswerFacts | undefined;
}

/** A whole answer, over all its steps. */
export interface AnswerFacts {
  text: string;
  model: string | null;
  tokens: number;
  /** USD; undefined if no price is known. */
  cost: number | undefined;
  /** The message that the answer ends with. */
  messageId: string;
  /** The message that it answers; undefined if that is not loaded. */
  userId: string | undefined;
  isLast: boolean;
}

/** Why an answer ended otherwise than well. */
export interface EndEntry {
  type: 'end';
  key: string;
  kind: 'failed' | 'stopped' | 'limit';
  /** A code of docs/errors.md or docs/runs.md, or the run's stop reason. */
  code: string;
  message: string;
  /** It is the end of the conversation, so it can be tried again. */
  isLast: boolean;
}

/** A step as it was told live, for the stored message that has taken its place: that does not know as much. */
export interface ToldStep {
  key: string;
  step: StepState;
  approvals: readonly ApprovalState[];
}

/** A run that is told, and is not yet all among the stored messages. */
export interface LiveRun {
  id: string;
  state: RunState;
}

/** What is to be shown. */
export interface ConversationParts {
  /** Oldest first. */
  messages: readonly Message[];
  live: LiveRun | undefined;
  told: ReadonlyMap<string, ToldStep>;
  /** The conversation's newest run, when it is not told any more. */
  lastRun: Run | undefined;
}

/** History and live run as one list, nothing twice. */
export function entriesOf({ messages, live, told, lastRun }: ConversationParts): Entry[] {
  const entries: Entry[] = [];
  const place = new Placing(live);
  for (const message of messages) {
    if (message.role === 'user') {
      place.user(message);
      entries.push(userEntry(message.id, message.content));
    } else entries.push(place.step(message) ?? storedStep(message, told.get(message.id)));
    const unfinished = place.isOfRun ? undefined : unfinishedStep(message, message === messages.at(-1), told);
    if (unfinished) entries.push(unfinished);
    const end = endOfMessage(message, message === messages.at(-1));
    // A failure that is being tried again is none any more.
    if (end && !place.isOfRun) entries.push(end);
  }
  entries.push(...place.rest());
  const isFailed = entries.at(-1)?.type === 'end';
  const end = live ? endOfLive(live) : isFailed ? undefined : endOfRun(lastRun, messages.at(-1));
  if (end && !isFailed) entries.push(end);
  const isOver = live === undefined || live.state.end !== undefined;
  return withAnswers(entries, isOver);
}

/**
 * What to keep of a run that has been stored: its steps as they were told, and what was said in one that failed, by the
 * message that it came after.
 */
export function toldOf(parts: ConversationParts): [string, ToldStep][] {
  const { live } = parts;
  if (!live) return [];
  let lastId: string | undefined;
  return entriesOf(parts).flatMap((entry): [string, ToldStep][] => {
    const afterId = lastId;
    if (entry.type !== 'end') lastId = (entry.type === 'user' ? entry.id : entry.message?.id) ?? lastId;
    if (entry.type !== 'step' || !entry.key.startsWith(`${live.id} `)) return [];
    const { key, step, approvals, message } = entry;
    if (message) return [[message.id, { key, step, approvals }]];
    const isFailed = live.state.end?.type === 'error' && afterId !== undefined;
    return isFailed ? [[unfinishedKey(afterId), { key, step, approvals }]] : [];
  });
}

function unfinishedKey(messageId: string): string {
  return `${messageId} unfinished`;
}

/** What was said after a message in a step that failed, which nobody has stored. */
function unfinishedStep(
  { id, status }: Message,
  isLast: boolean,
  told: ConversationParts['told'],
): StepEntry | undefined {
  const known = isLast || status === 'failed' ? told.get(unfinishedKey(id)) : undefined;
  if (!known) return undefined;
  return { type: 'step', ...known, isLive: false, message: undefined, answer: undefined };
}

/** Finds which stored messages are steps of the live run, and what of that is not stored yet. */
class Placing {
  readonly #live: LiveRun | undefined;
  readonly #steps: readonly StepState[];
  readonly #saidIds: ReadonlySet<string>;
  readonly #shown = new Set<string | number>();
  /** Is what was placed last a message of the live run? */
  isOfRun = false;
  #nth = 0;

  constructor(live: LiveRun | undefined) {
    this.#live = live;
    this.#steps = live?.state.steps ?? [];
    this.#saidIds = new Set(this.#steps.flatMap(saidIn).map(({ id }) => id));
  }

  user({ id }: Message): void {
    this.#shown.add(id);
    if (id === this.#live?.state.user?.id) this.isOfRun = true;
    else if (!this.#saidIds.has(id)) this.isOfRun = false;
  }

  /** The live step that a stored answer is; undefined if it is none. */
  step(message: Message): StepEntry | undefined {
    const named = this.#steps.find(({ messageId }) => messageId === message.id);
    if (named) this.isOfRun = true;
    this.#nth += this.isOfRun ? 1 : 0;
    // A step that was broken off has no message by name.
    const isNth = ({ step, messageId }: StepState): boolean => step === this.#nth && messageId === undefined;
    const step = named ?? (this.isOfRun ? this.#steps.find(isNth) : undefined);
    if (!step) return undefined;
    this.#nth = step.step;
    this.#shown.add(step.step);
    return this.#entry(step, message);
  }

  rest(): Entry[] {
    if (!this.#live) return [];
    const { user } = this.#live.state;
    const entries: Entry[] = [];
    if (user?.id && !this.#shown.has(user.id)) entries.push(userEntry(user.id, user.content));
    for (const step of this.#steps) {
      if (!this.#shown.has(step.step)) entries.push(this.#entry(step, undefined));
      for (const { id, content } of saidIn(step)) if (!this.#shown.has(id)) entries.push(userEntry(id, content));
    }
    return entries;
  }

  #entry(step: StepState, message: Message | undefined): StepEntry {
    const live = this.#live;
    return {
      type: 'step',
      key: `${live?.id} ${step.step}`,
      step: withoutSaid(step),
      approvals: live?.state.approvals ?? [],
      isLive: live !== undefined && live.state.end === undefined,
      message,
      answer: undefined,
    };
  }
}

function userEntry(id: string, content: MessageContent): UserEntry {
  return { type: 'user', key: id, id, content, isSending: false };
}

const storedSteps = new WeakMap<Message, StepState>();

function storedStep(message: Message, told: ToldStep | undefined): StepEntry {
  let step = told?.step ?? storedSteps.get(message);
  if (!step) {
    step = stepOf(message);
    storedSteps.set(message, step);
  }
  const approvals = told?.approvals ?? NONE;
  return { type: 'step', key: told?.key ?? message.id, step, approvals, isLive: false, message, answer: undefined };
}

const NONE: readonly ApprovalState[] = [];

const quiet = new WeakMap<StepState, StepState>();

/** What people say stands by itself, as it will when it is stored. */
function withoutSaid(step: StepState): StepState {
  if (saidIn(step).length === 0) return step;
  const known = quiet.get(step);
  if (known) return known;
  const changed = { ...step, items: step.items.reduce(withoutGap, []) };
  quiet.set(step, changed);
  return changed;
}

/** Adds an item that nobody has said; what the model goes on saying afterwards is one with what it said before. */
function withoutGap(items: readonly StepItem[], item: StepItem): readonly StepItem[] {
  if (item.type === 'said') return items;
  const last = items.at(-1);
  const isMore = (item.type === 'text' || item.type === 'reasoning') && last?.type === item.type;
  return isMore ? [...items.slice(0, -1), { ...item, text: last.text + item.text }] : [...items, item];
}

function saidIn({ items }: StepState): SaidItem[] {
  return items.filter((item) => item.type === 'said');
}

function endOfMessage({ id, status, error }: Message, isLast: boolean): EndEntry | undefined {
  if (status !== 'failed' || !error) return undefined;
  return endEntry(`${id} end`, error, isLast);
}

function endEntry(key: string, { code, message }: { code: string; message: string }, isLast: boolean): EndEntry {
  return { type: 'end', key, kind: code === 'CANCELLED' ? 'stopped' : 'failed', code, message, isLast };
}

function endOfLive({ state: { end } }: LiveRun): EndEntry | undefined {
  if (!end) return undefined;
  if (end.type === 'error') return endEntry('end', end.data, true);
  return limitEntry(end.data.stopReason);
}

/** @param last the conversation's last message: a run that is older than that is not its end. */
function endOfRun(run: Run | undefined, last: Message | undefined): EndEntry | undefined {
  if (!run || !last || run.finishedAt === null || Date.parse(run.finishedAt) < Date.parse(last.createdAt))
    return undefined;
  if (run.error) return endEntry('end', run.error, true);
  return run.stopReason ? limitEntry(run.stopReason) : undefined;
}

const LIMITS = {
  max_steps: 'It has had all its steps. Say “go on” for more, or choose a higher effort.',
  budget: 'The next step would not fit into its budget any more.',
  no_progress: 'It was not getting anywhere: it made the same call again and again, or its calls failed.',
};

function limitEntry(reason: Run['stopReason'] & string): EndEntry | undefined {
  if (reason === 'completed') return undefined;
  return { type: 'end', key: 'end', kind: 'limit', code: reason, message: LIMITS[reason], isLast: true };
}

/** Gives the last step of what follows each message the facts of the whole. */
function withAnswers(entries: readonly Entry[], isOver: boolean): Entry[] {
  let steps: StepEntry[] = [];
  let userId: string | undefined;
  const facts = new Map<StepEntry, AnswerFacts>();
  const close = (isLast: boolean): void => {
    // What failed has its own end.
    steps = steps.filter(({ isLive, message, step }) => isLive || message || step.messageId !== undefined);
    const last = steps.at(-1);
    if (last?.message && (!isLast || isOver)) facts.set(last, factsOf(steps, last.message, userId, isLast));
    steps = [];
  };
  for (const entry of entries) {
    if (entry.type === 'step') steps.push(entry);
    if (entry.type !== 'user') continue;
    close(false);
    userId = entry.id;
  }
  close(true);
  return entries.map((entry) => {
    const answer = entry.type === 'step' ? facts.get(entry) : undefined;
    return answer ? { ...entry, answer } : entry;
  });
}

function factsOf(steps: readonly StepEntry[], last: Message, userId: string | undefined, isLast: boolean): AnswerFacts {
  const messages = steps.flatMap(({ message }) => message ?? []);
  const costs = messages.flatMap(({ cost }) => cost ?? []);
  return {
    text: steps
      .map(({ step }) => textOf(step))
      .filter(Boolean)
      .join('\n\n'),
    model: last.model === null ? null : last.provider === null ? last.model : `${last.provider}/${last.model}`,
    tokens: messages.reduce((sum, { tokenUsage }) => sum + (tokenUsage?.total ?? 0), 0),
    cost: costs.length === 0 ? undefined : costs.reduce((sum, cost) => sum + cost, 0),
    messageId: last.id,
    userId,
    isLast,
  };
}

function textOf({ items }: StepState): string {
  return items
    .flatMap((item) =>
      item.type === 'text' ? item.text : item.type === 'call' ? (summaryOf(item)?.summary ?? []) : [],
    )
    .join('\n\n');
}
