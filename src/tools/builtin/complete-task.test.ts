import { describe, expect, it } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import { completeTask } from './complete-task.ts';

describe('complete_task', () => {
  it('ends the run with a summary', async () => {
    const given = { summary: 'All done', artifacts: ['a.txt'], nextSteps: ['Rest'] };
    expect(await completeTask.run(given, toolContext())).toEqual({ text: 'The work has ended.', isError: false });
  });

  it('needs only what was done', async () => {
    expect(completeTask.inputSchema).toMatchObject({ required: ['summary'] });
    expect(await completeTask.run({ summary: 'All done' }, toolContext())).toMatchObject({ isError: false });
  });

  it('does not end the run with arguments that do not fit', async () => {
    for (const given of [{}, { summary: '' }, { summary: 'x', artifacts: 'a.txt' }])
      expect(await completeTask.run(given, toolContext())).toEqual({
        text: expect.stringContaining('The arguments do not fit: '),
        isError: true,
      });
  });
});
