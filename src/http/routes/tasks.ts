import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { TASK_STATUSES } from '../../storage/schema.ts';
import { createTask, deleteTask, getTask, listTasks, updateTask } from '../../storage/tasks.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, Labels, Paging, Priority, Time, text } from '../schemas.ts';

const Status = z.enum(TASK_STATUSES);
const LONG = 1_000_000;

const Task = z
  .object({
    id: z.string(),
    title: z.string(),
    prompt: z.string(),
    description: z.string().nullable(),
    status: Status,
    priority: Priority,
    labels: z.array(z.string()),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Task' });

const Fields = z.strictObject({
  title: text(500),
  prompt: text(LONG),
  description: text(LONG).nullable().optional(),
  status: Status.optional(),
  priority: Priority.optional(),
  labels: Labels.optional(),
});

const One = z.object({ task: Task });

/** CRUD of tasks. */
export const taskRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/tasks',
    scope: 'chat',
    tag: 'Tasks',
    summary: 'Tasks, newest first',
    query: z.strictObject({ ...Paging, status: Status.optional() }),
    response: z.object({ tasks: z.array(Task), total: z.int() }),
    handle: ({ services, owner, query }) => listTasks(services.database.db, owner, query),
  }),
  defineRoute({
    method: 'post',
    path: '/api/tasks',
    scope: 'chat',
    tag: 'Tasks',
    summary: 'Create a task',
    body: Fields,
    status: 201,
    response: One,
    creates: true,
    handle: async ({ services, owner, body, newId }) => ({
      task: await createTask(services.database.db, owner, body, newId('task')),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/tasks/{id}',
    scope: 'chat',
    tag: 'Tasks',
    summary: 'Read a task',
    params: IdParams,
    response: One,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id } }) => {
      const task = await getTask(services.database.db, owner, id);
      if (!task) throw new NotFoundError('Task', id);
      return { task };
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/api/tasks/{id}',
    scope: 'chat',
    tag: 'Tasks',
    summary: 'Change a task; what is not given stays',
    params: IdParams,
    body: Fields.partial(),
    response: One,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id }, body }) => {
      const task = await updateTask(services.database.db, owner, id, body);
      if (!task) throw new NotFoundError('Task', id);
      return { task };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/tasks/{id}',
    scope: 'chat',
    audit: { action: 'task.delete', target: ({ params }) => params.id },
    tag: 'Tasks',
    summary: 'Delete a task',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id } }) => {
      if (!(await deleteTask(services.database.db, owner, id))) throw new NotFoundError('Task', id);
      return { message: 'Task deleted' };
    },
  }),
];
