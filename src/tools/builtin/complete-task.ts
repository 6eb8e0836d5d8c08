import { z } from 'zod';
import { defineTool } from '../tool.ts';

/** Ends a run, with what the model says of it. */
export const completeTask = defineTool({
  name: 'complete_task',
  description: 'Ends the work. Call it once everything that was asked for is done, or cannot be done.',
  level: 'safe',
  effect: 'idempotent',
  isForSandbox: true,
  input: z.strictObject({
    summary: z.string().min(1).describe('What was done, and what was not, for the person who asked.'),
    artifacts: z.array(z.string()).default([]).describe('Paths or names of what was made.'),
    nextSteps: z.array(z.string()).default([]).describe('What could be done next.'),
  }),
  run: () => Promise.resolve({ text: 'The work has ended.', isError: false }),
});
