import type { AgentContext } from '../agent/context.ts';
import type { JsonObject } from '../core/json.ts';
import { InvalidRequestError } from '../errors.ts';
import { firstMessages, lastMessages, type MessageRange, type MessageRow } from '../storage/messages.ts';
import { nameOfItem } from './responses-ids.ts';
import { headOf, type KeptResponse } from './responses-kept.ts';
import { itemsOf } from './responses-of-message.ts';
import { findAnswer } from './responses-references.ts';

const MESSAGES_AT_ONCE = 50;
const CHARACTERS_AT_ONCE = 8 * 1024 ** 2;

/** A page of items. */
export interface ItemPage {
  object: 'list';
  data: JsonObject[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** Which of the items: at most `limit` of those behind `after`, which is the id of an item. */
export interface ItemRange {
  after?: string | undefined;
  limit: number;
  order: 'asc' | 'desc';
}

/**
 * What a response has answered: all that was said in its conversation before it.
 * @throws InvalidRequestError for an item that is not there.
 */
export async function inputItems(context: AgentContext, row: KeptResponse, page: ItemRange): Promise<ItemPage> {
  const answer = await findAnswer(context, row.id.slice('resp_'.length));
  // Those of the request count for what was said before it as well: which tools take a text no message says.
  const { tools } = headOf(row).echo;
  return await itemPage(context, { conversation: row.conversation, before: answer?.message.seq, tools }, page);
}

/**
 * The items of a conversation. @param place `before`: only those of messages before this `seq`; `tools` as of `itemsOf`.
 * @param page as of `inputItems`. @throws InvalidRequestError for an item that is not there.
 */
export async function itemPage(
  context: AgentContext,
  { conversation, before, tools }: { conversation: number; before?: number | undefined; tools?: unknown },
  { limit, order, after }: ItemRange,
): Promise<ItemPage> {
  const range: MessageRange = {
    ...{ owner: context.owner, conversation, onlyComplete: true },
    ...(before === undefined ? {} : { before }),
  };
  const found: JsonObject[] = [];
  const inOrder = (message: MessageRow): JsonObject[] => {
    const items = itemsOf(message, message.id, tools);
    return order === 'asc' ? items : items.toReversed();
  };
  for await (const item of walk(context, range, { order, after }, inOrder)) {
    found.push(item);
    if (found.length > limit) break;
  }
  const data = found.slice(0, limit);
  return {
    object: 'list',
    data,
    first_id: (data[0]?.id as string | undefined) ?? null,
    last_id: (data.at(-1)?.id as string | undefined) ?? null,
    has_more: found.length > limit,
  };
}

async function* walk(
  context: AgentContext,
  range: MessageRange,
  { order, after }: { order: 'asc' | 'desc'; after: string | undefined },
  inOrder: (message: MessageRow) => JsonObject[],
): AsyncGenerator<JsonObject> {
  let place = range;
  if (after !== undefined) {
    const message = (await findAnswer(context, nameOfItem(after) ?? ''))?.message;
    const items = message && isIn(range, message) ? inOrder(message) : [];
    const index = items.findIndex(({ id }) => id === after);
    if (!message || index === -1) {
      throw new InvalidRequestError([
        { path: 'after', message: `there is no item ${JSON.stringify(after)} in this list` },
      ]);
    }
    yield* items.slice(index + 1);
    place = beyond(range, message, order);
  }
  for (;;) {
    const rows = await nextMessages(context, place, order);
    for (const row of rows) yield* inOrder(row);
    const last = rows.at(-1);
    if (!last) return;
    place = beyond(range, last, order);
  }
}

function isIn({ conversation, before = Number.POSITIVE_INFINITY }: MessageRange, message: MessageRow): boolean {
  return message.conversation === conversation && message.seq < before;
}

function beyond(range: MessageRange, { seq }: MessageRow, order: 'asc' | 'desc'): MessageRange {
  return order === 'asc' ? { ...range, after: seq } : { ...range, before: seq };
}

async function nextMessages({ db }: AgentContext, range: MessageRange, order: 'asc' | 'desc'): Promise<MessageRow[]> {
  const bounds = { limit: MESSAGES_AT_ONCE, maxSize: CHARACTERS_AT_ONCE };
  if (order === 'asc') return await firstMessages(db, range, bounds);
  return (await lastMessages(db, range, bounds)).rows.toReversed();
}
