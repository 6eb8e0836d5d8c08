import type { Kysely, Selectable } from 'kysely';
import { newId } from '../core/ids.ts';
import { deleteRow, labelsFromText, labelsToText, type Page, readPage, requireExisting, timestamp } from './rows.ts';
import { DEFAULT_PRIORITY, type Schema, type TaskStatus } from './schema.ts';
import { isStorable, requireStorable } from './text.ts';

/** Something to be done, with the prompt that does it. Times are ISO-8601 UTC; priority 1 is the most urgent of 1 to 4. */
export interface Task {
  id: string;
  title: string;
  prompt: string;
  description: string | null;
  status: TaskStatus;
  priority: number;
  labels: string[];
  createdAt: string;
  updatedAt: string;
}

/** A new task, already validated. Left out: no description, `pending`, priority 3, no labels. */
export interface TaskInput {
  title: string;
  prompt: string;
  description?: string | null | undefined;
  status?: TaskStatus | undefined;
  priority?: number | undefined;
  labels?: string[] | undefined;
}

/** What to change of a task, already validated; what is left out stays, `null` clears. */
export type TaskPatch = { [Field in keyof TaskInput]?: TaskInput[Field] | undefined };

/**
 * Stores a task; if the owner has one of that id already, gives that one as it is. Throws InvalidRequestError for text
 * that cannot be stored.
 */
export async function createTask(
  db: Kysely<Schema>,
  owner: string,
  input: TaskInput,
  id: string = newId('task'),
): Promise<Task> {
  requireStorable(input);
  const now = timestamp();
  const row = await db
    .insertInto('tasks')
    .values({
      id,
      owner,
      title: input.title,
      prompt: input.prompt,
      description: input.description ?? null,
      status: input.status ?? 'pending',
      priority: input.priority ?? DEFAULT_PRIORITY,
      labels: labelsToText(input.labels ?? []),
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ? toTask(row) : requireExisting(await getTask(db, owner, id), id);
}

/** One page of the owner's tasks, newest first, and how many there are in all (with that status, if one is given). */
export async function listTasks(
  db: Kysely<Schema>,
  owner: string,
  options: Page & { status?: TaskStatus | undefined },
): Promise<{ tasks: Task[]; total: number }> {
  let query = db.selectFrom('tasks').selectAll().where('owner', '=', owner);
  if (options.status !== undefined) query = query.where('status', '=', options.status);
  const { rows, total } = await readPage(query.orderBy('created_at', 'desc').orderBy('id', 'desc'), options);
  return { tasks: rows.map(toTask), total };
}

/** The owner's task of that id, undefined if there is none. */
export async function getTask(db: Kysely<Schema>, owner: string, id: string): Promise<Task | undefined> {
  if (!isStorable(id)) return undefined;
  const row = await db
    .selectFrom('tasks')
    .selectAll()
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toTask(row);
}

/** Changes the owner's task and gives it as it is then, undefined if there is none. Throws InvalidRequestError like `createTask`. */
export async function updateTask(
  db: Kysely<Schema>,
  owner: string,
  id: string,
  patch: TaskPatch,
): Promise<Task | undefined> {
  requireStorable(patch);
  if (!isStorable(id)) return undefined;
  const row = await db
    .updateTable('tasks')
    .set({
      title: patch.title,
      prompt: patch.prompt,
      description: patch.description,
      status: patch.status,
      priority: patch.priority,
      labels: labelsToText(patch.labels),
      updated_at: timestamp(),
    })
    .where('owner', '=', owner)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row && toTask(row);
}

/** Deletes the owner's task; false if there is none. */
export function deleteTask(db: Kysely<Schema>, owner: string, id: string): Promise<boolean> {
  return deleteRow(db, 'tasks', owner, id);
}

function toTask(row: Selectable<Schema['tasks']>): Task {
  return {
    id: row.id,
    title: row.title,
    prompt: row.prompt,
    description: row.description,
    status: row.status,
    priority: row.priority,
    labels: labelsFromText(row.labels),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
