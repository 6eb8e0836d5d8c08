import type { ExpressionBuilder, Kysely, Selectable } from 'kysely';
import { newId } from '../core/ids.ts';
import { labelsFromText, labelsToText, type Page, readPage, requireExisting, timestamp } from './rows.ts';
import { DEFAULT_PRIORITY, type Schema, type TicketStatus, type TicketType } from './schema.ts';
import { isStorable, requireStorable } from './text.ts';

const KEY = /^PC-([1-9]\d{0,9})$/i;
const MAX_NUMBER = 2 ** 31 - 1;

/** Something reported or asked for. `key` (`PC-12`) is its name for people; times and priority as of a task. */
export interface Ticket {
  id: string;
  key: string;
  title: string;
  description: string | null;
  type: TicketType;
  priority: number;
  status: TicketStatus;
  labels: string[];
  createdAt: string;
  updatedAt: string;
}

/** A new ticket, already validated. Left out: no description, type `task`, priority 3, `open`, no labels. */
export interface TicketInput {
  title: string;
  description?: string | null | undefined;
  type?: TicketType | undefined;
  priority?: number | undefined;
  status?: TicketStatus | undefined;
  labels?: string[] | undefined;
}

/** What to change of a ticket, already validated; what is left out stays, `null` clears. */
export type TicketPatch = { [Field in keyof TicketInput]?: TicketInput[Field] | undefined };

/**
 * Stores a ticket under the owner's next number; numbers have no gaps at birth and are never given twice, not even
 * after a deletion. If the owner has one of that id already, gives that one as it is. Throws InvalidRequestError for
 * text that cannot be stored.
 */
export async function createTicket(
  db: Kysely<Schema>,
  owner: string,
  input: TicketInput,
  id: string = newId('ticket'),
): Promise<Ticket> {
  requireStorable(input);
  if (db.isTransaction) return await insertTicket(db, owner, input, id);
  return await db.transaction().execute((transaction) => insertTicket(transaction, owner, input, id));
}

/** One page of the owner's tickets, newest first, and how many there are in all (with that status, if one is given). */
export async function listTickets(
  db: Kysely<Schema>,
  owner: string,
  options: Page & { status?: TicketStatus | undefined },
): Promise<{ tickets: Ticket[]; total: number }> {
  let query = db.selectFrom('tickets').selectAll().where('owner', '=', owner);
  if (options.status !== undefined) query = query.where('status', '=', options.status);
  const { rows, total } = await readPage(query.orderBy('number', 'desc'), options);
  return { tickets: rows.map(toTicket), total };
}

/** The owner's ticket of that id or key (in any case: `pc-12`), undefined if there is none. */
export async function getTicket(db: Kysely<Schema>, owner: string, idOrKey: string): Promise<Ticket | undefined> {
  if (!isStorable(idOrKey)) return undefined;
  const row = await db
    .selectFrom('tickets')
    .selectAll()
    .where('owner', '=', owner)
    .where(isNamed(idOrKey))
    .executeTakeFirst();
  return row && toTicket(row);
}

/** The id of a ticket that is named by id or key; what names none is given as it is. */
export async function ticketIdOf(db: Kysely<Schema>, owner: string, idOrKey: string): Promise<string> {
  return (await getTicket(db, owner, idOrKey))?.id ?? idOrKey;
}

/** Changes the owner's ticket and gives it as it is then, undefined if there is none. Throws InvalidRequestError like `createTicket`. */
export async function updateTicket(
  db: Kysely<Schema>,
  owner: string,
  idOrKey: string,
  patch: TicketPatch,
): Promise<Ticket | undefined> {
  requireStorable(patch);
  if (!isStorable(idOrKey)) return undefined;
  const row = await db
    .updateTable('tickets')
    .set({
      title: patch.title,
      description: patch.description,
      type: patch.type,
      priority: patch.priority,
      status: patch.status,
      labels: labelsToText(patch.labels),
      updated_at: timestamp(),
    })
    .where('owner', '=', owner)
    .where(isNamed(idOrKey))
    .returningAll()
    .executeTakeFirst();
  return row && toTicket(row);
}

/** Deletes the owner's ticket of that id or key; false if there is none. Its number is not given again. */
export async function deleteTicket(db: Kysely<Schema>, owner: string, idOrKey: string): Promise<boolean> {
  if (!isStorable(idOrKey)) return false;
  const { numDeletedRows } = await db
    .deleteFrom('tickets')
    .where('owner', '=', owner)
    .where(isNamed(idOrKey))
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

// Must run in a transaction: the counter's row stays locked until the ticket is there, so that a failed insert takes
// its number back and nobody else has seen it.
async function insertTicket(db: Kysely<Schema>, owner: string, input: TicketInput, id: string): Promise<Ticket> {
  const { last } = await db
    .insertInto('ticket_counters')
    .values({ owner, last: 1 })
    .onConflict((conflict) =>
      conflict.column('owner').doUpdateSet((set) => ({ last: set('ticket_counters.last', '+', 1) })),
    )
    .returning('last')
    .executeTakeFirstOrThrow();
  const now = timestamp();
  const row = await db
    .insertInto('tickets')
    .values({
      id,
      owner,
      number: last,
      title: input.title,
      description: input.description ?? null,
      type: input.type ?? 'task',
      priority: input.priority ?? DEFAULT_PRIORITY,
      status: input.status ?? 'open',
      labels: labelsToText(input.labels ?? []),
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row) return toTicket(row);
  await db
    .updateTable('ticket_counters')
    .set({ last: last - 1 })
    .where('owner', '=', owner)
    .execute();
  return requireExisting(await getTicket(db, owner, id), id);
}

function isNamed(idOrKey: string) {
  const number = Number(KEY.exec(idOrKey)?.[1]);
  // Beyond MAX_NUMBER PostgreSQL would refuse the query; such a key is looked for as an id, which nothing has.
  return (row: ExpressionBuilder<Schema, 'tickets'>) =>
    number <= MAX_NUMBER ? row('number', '=', number) : row('id', '=', idOrKey);
}

function toTicket(row: Selectable<Schema['tickets']>): Ticket {
  return {
    id: row.id,
    key: `PC-${row.number}`,
    title: row.title,
    description: row.description,
    type: row.type,
    priority: row.priority,
    status: row.status,
    labels: labelsFromText(row.labels),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
