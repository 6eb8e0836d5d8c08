import { z } from 'zod';
import { updateTask as changeTask } from '../../storage/tasks.ts';
import { RecordId, TaskFields } from '../record-fields.ts';
import { defineTool } from '../tool.ts';

/** Changes a task of the owner's. Done twice it is as if it was done once. */
export const updateTask = defineTool({
  name: 'update_task',
  description:
    'Changes one of the user’s tasks: what is given is set, everything else stays. Returns it as it is then.',
  level: 'moderate',
  effect: 'idempotent',
  isForSandbox: false,
  input: z
    .strictObject({ id: RecordId.describe('task_…'), ...z.strictObject(TaskFields).partial().shape })
    .refine((given) => Object.keys(given).length > 1, 'There is nothing to change: give at least one field besides id'),
  run: async ({ id, ...patch }, { db, owner }) => {
    const task = await changeTask(db, owner, id, patch);
    if (!task) throw new Error(`There is no task ${JSON.stringify(id)}. Its id begins with task_.`);
    return { text: JSON.stringify(task, null, 2), isError: false };
  },
});
