import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool, type ToolEffect } from '../../src/tools/tool.ts';

/** What a call has written down: that it began, or that its effect is there. */
export interface Note {
  id: string;
  /** The idempotency key that it was given. */
  key: string;
  what: 'begun' | 'done';
}

const LOG = 'notes.jsonl';
const GATE = 'open';

function tool(effect: ToolEffect) {
  return defineTool({
    name: `work_${effect}`,
    description: 'Writes down what it does',
    level: 'safe',
    effect,
    isForSandbox: false,
    input: z.strictObject({ id: z.string(), hold: z.enum(['before', 'after']).optional() }),
    run: async ({ id, hold }, { workspace, idempotencyKey: key }) => {
      const note = (what: Note['what']): void =>
        appendFileSync(join(workspace, LOG), `${JSON.stringify({ id, key, what })}\n`);
      const opened = async (): Promise<void> => {
        while (!existsSync(join(workspace, GATE))) await sleep(10);
      };
      note('begun');
      if (hold === 'before') await opened();
      note('done');
      if (hold === 'after') await opened();
      return { text: `worked on ${id}`, isError: false };
    },
  });
}

/**
 * Tools that outlive their process in what they write into the workspace. With `hold` a call stops before or after its
 * effect until the gate is open.
 */
export const CRASH_TOOLS = (['read', 'idempotent', 'unsafe'] as const).map(tool);

/** What the calls have written down, in order. */
export function notesIn(workspace: string): Note[] {
  const file = join(workspace, LOG);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // The last line may have been cut off.
  return text.split('\n').flatMap((line) => (line.endsWith('}') ? [JSON.parse(line)] : []));
}

/** Lets every call go on, those that begin from now on too. */
export function openGate(workspace: string): void {
  writeFileSync(join(workspace, GATE), '');
}
