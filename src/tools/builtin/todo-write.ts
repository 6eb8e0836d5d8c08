import { z } from 'zod';
import { defineTool } from '../tool.ts';

const MARKS = { pending: '[ ]', in_progress: '[>]', completed: '[x]' } as const;

const Todo = z.strictObject({
  content: z.string().min(1).max(500).describe('What is to be done, in one line.'),
  status: z.enum(['pending', 'in_progress', 'completed']),
});

/** Replaces the list of what is still to be done. It is kept as what it is: the arguments and result of the last call. */
export const todoWrite = defineTool({
  name: 'todo_write',
  description:
    'Keeps the list of what you have to do, for work of several steps: each call replaces the whole list. Give every item again, with its status as it is now; have one in progress at a time.',
  level: 'safe',
  effect: 'idempotent',
  isForSandbox: true,
  input: z.strictObject({ todos: z.array(Todo).max(100).describe('All of them, in order; none: the list is empty.') }),
  run: ({ todos }) => {
    const done = todos.filter(({ status }) => status === 'completed').length;
    const lines = todos.map(({ content, status }) => `${MARKS[status]} ${content.replace(/\s+/g, ' ')}`);
    const head = todos.length === 0 ? 'The list is empty.' : `${done} of ${todos.length} are done:`;
    return Promise.resolve({ text: [head, ...lines].join('\n'), isError: false });
  },
});
