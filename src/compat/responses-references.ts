import type { AgentContext } from '../agent/context.ts';
import type { JsonObject } from '../core/json.ts';
import { InvalidRequestError, type Issue } from '../errors.ts';
import { findMessage, type MessageRow } from '../storage/messages.ts';
import { responseOfCall } from '../storage/responses.ts';
import { getRun } from '../storage/runs.ts';
import { nameOfItem } from './responses-ids.ts';
import { type InputItem, type OwnItem, readItem } from './responses-items.ts';
import { itemsOf } from './responses-of-message.ts';

/** Characters of the messages that a request may refer to. */
const MAX_REFERRED = 32 * 1024 ** 2;

/** A stored message, and the conversation that it is of. */
export interface FoundMessage {
  message: MessageRow;
  conversationId: string;
}

/** An item of ours, the answer that it is of, and the name of that in the ids of items and responses. */
export interface KnownItem {
  index: number;
  name: string;
  answer: FoundMessage;
}

/** What a request brings, with nothing left to look up. */
export interface ResolvedInput {
  items: OwnItem[];
  /** The last of the items that is one of ours. */
  known: KnownItem | undefined;
}

/**
 * Puts what references stand for in their place, and finds how far the input is what we know. @throws
 * InvalidRequestError for a reference to nothing of the owner's.
 */
export async function resolveInput(
  context: AgentContext,
  input: string | readonly InputItem[],
): Promise<ResolvedInput> {
  if (typeof input === 'string')
    return { items: [{ type: 'message', role: 'user', content: input }], known: undefined };
  const named = new Named(context);
  const issues: Issue[] = [];
  const items: OwnItem[] = [];
  for (const [index, item] of input.entries()) {
    if (item.type !== 'item_reference') {
      items.push(item);
      continue;
    }
    const stored = await named.item(item.id);
    const found = stored && readItem(stored);
    if (found && found.type !== 'item_reference') items.push(found);
    else {
      const message = `there is no item ${JSON.stringify(item.id)} of yours that is kept: send the item itself`;
      issues.push({ path: `input.${index}.id`, message });
    }
  }
  if (issues.length > 0) throw new InvalidRequestError(issues);
  return { items, known: await lastOfOurs(input, named) };
}

async function lastOfOurs(input: readonly InputItem[], named: Named): Promise<KnownItem | undefined> {
  for (let index = input.length - 1; index >= 0; index--) {
    const name = nameOfItem(input[index]?.id ?? '');
    const answer = name === undefined ? undefined : await named.find(name);
    if (answer && name !== undefined) return { index, name, answer };
  }
  return undefined;
}

/** The last call among items, which some clients send without its id, if the answer that ends with it is kept. */
export async function findLastCall(context: AgentContext, items: readonly OwnItem[]): Promise<KnownItem | undefined> {
  const index = items.findLastIndex(({ type }) => type === 'function_call');
  const call = items[index];
  if (call?.type !== 'function_call') return undefined;
  const response = await responseOfCall(context.db, context.owner, call.call_id);
  const name = response?.slice('resp_'.length);
  const answer = name === undefined ? undefined : await findAnswer(context, name);
  return answer && name !== undefined ? { index, name, answer } : undefined;
}

/** The message of a name: an answer, or the one that a run has ended with. */
export async function findAnswer({ db, owner }: AgentContext, name: string): Promise<FoundMessage | undefined> {
  const found = await findMessage(db, owner, `msg_${name}`);
  if (found) return found;
  const run = await getRun(db, owner, `run_${name}`);
  return run?.message ? await findMessage(db, owner, run.message) : undefined;
}

/** Messages by the names in the ids of their items, each looked up once. */
class Named {
  readonly #context: AgentContext;
  readonly #found = new Map<string, FoundMessage | undefined>();
  readonly #items = new Map<string, JsonObject[]>();
  #size = 0;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  async find(name: string): Promise<FoundMessage | undefined> {
    if (!this.#found.has(name)) {
      const found = await findAnswer(this.#context, name);
      this.#size += found?.message.size ?? 0;
      if (this.#size > MAX_REFERRED) throw tooMuch();
      this.#found.set(name, found);
    }
    return this.#found.get(name);
  }

  /** The item of an id; undefined if there is none. */
  async item(id: string): Promise<JsonObject | undefined> {
    const name = nameOfItem(id);
    const answer = name === undefined ? undefined : await this.find(name);
    if (!answer || name === undefined) return undefined;
    const items = this.#items.get(name) ?? itemsOf(answer.message, `msg_${name}`);
    this.#items.set(name, items);
    // A call with a text is kept as one of a function.
    const kept = id.replace(/^ctc_/, 'fc_');
    return items.find((item) => item.id === kept);
  }
}

function tooMuch(): InvalidRequestError {
  const message = `what it refers to has more than ${MAX_REFERRED} characters: send previous_response_id instead`;
  return new InvalidRequestError([{ path: 'input', message }]);
}
