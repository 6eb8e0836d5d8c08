import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../src/core/json.ts';
import { taskRoutes } from '../../../src/http/routes/tasks.ts';
import { ticketRoutes } from '../../../src/http/routes/tickets.ts';
import { createTicket } from '../../../src/tools/builtin/create-ticket.ts';
import { getTask } from '../../../src/tools/builtin/get-task.ts';
import { getTicket } from '../../../src/tools/builtin/get-ticket.ts';
import { readResult } from '../../../src/tools/builtin/read-result.ts';
import { todoWrite } from '../../../src/tools/builtin/todo-write.ts';
import { updateTask } from '../../../src/tools/builtin/update-task.ts';

/** A schema without what is only told of it. */
const bare = (schema: unknown): JsonObject =>
  JSON.parse(
    JSON.stringify(schema, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value)),
  );

function bodyOf(routes: readonly { method: string; path: string; body?: z.ZodType }[], method: string, path: string) {
  const body = routes.find((route) => route.method === method && route.path === path)?.body;
  if (!body) throw new Error(`no ${method} ${path}`);
  return bare(z.toJSONSchema(body, { io: 'input' }));
}

describe('tools over records', () => {
  it('take what the routes take, within the same bounds', () => {
    const { id: _, ...task } = bare(updateTask.inputSchema.properties);
    expect(task).toEqual(bodyOf(taskRoutes, 'patch', '/api/tasks/{id}').properties);
    const { properties, required } = bodyOf(ticketRoutes, 'post', '/api/tickets');
    expect(bare(createTicket.inputSchema)).toMatchObject({ properties, required, additionalProperties: false });
  });

  it('read safely, also in the sandbox; what writes is asked about, and is not for the sandbox', () => {
    const facts = ({ name, level, effect, isForSandbox }: typeof getTask) => [name, level, effect, isForSandbox];
    expect([getTask, getTicket, readResult, todoWrite, updateTask, createTicket].map(facts)).toEqual([
      ['get_task', 'safe', 'read', true],
      ['get_ticket', 'safe', 'read', true],
      ['read_result', 'safe', 'read', true],
      ['todo_write', 'safe', 'idempotent', true],
      ['update_task', 'moderate', 'idempotent', false],
      ['create_ticket', 'moderate', 'idempotent', false],
    ]);
  });
});
