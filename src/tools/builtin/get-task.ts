import { z } from 'zod';
import { getTask as readTask } from '../../storage/tasks.ts';
import { RecordId } from '../record-fields.ts';
import { defineTool } from '../tool.ts';

/** Reads a task of the owner's. */
export const getTask = defineTool({
  name: 'get_task',
  description: 'Reads one of the user’s tasks, as JSON.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({ id: RecordId.describe('task_…') }),
  run: async ({ id }, { db, owner }) => {
    const task = await readTask(db, owner, id);
    if (!task) throw new Error(`There is no task ${JSON.stringify(id)}. Its id begins with task_.`);
    return { text: JSON.stringify(task, null, 2), isError: false };
  },
});
