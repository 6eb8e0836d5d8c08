import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool, type Tool, type ToolContext } from '../../src/tools/tool.ts';
import { addNote, writeMark } from './effects.ts';
import { passTool } from './orders.ts';

/** How long a call takes after its effect, in milliseconds. */
const AFTERWARDS_MS = 40;

const input = z.strictObject({ text: z.string() });

/** Tools whose effects are kept in a folder: `note` adds a line each time, `mark` writes one file for each call. */
export function effectTools(folder: string): Tool[] {
  const note = defineTool({
    name: 'note',
    description: 'Adds a line to a file.',
    level: 'moderate',
    effect: 'unsafe',
    isForSandbox: false,
    input,
    run: async ({ text }, context) => {
      addNote(folder, { idempotencyKey: context.idempotencyKey, text });
      await afterwards('note', context);
      return { text: `noted ${text}`, isError: false };
    },
  });
  const mark = defineTool({
    name: 'mark',
    description: 'Writes a file.',
    level: 'moderate',
    effect: 'idempotent',
    isForSandbox: false,
    input,
    run: async ({ text }, context) => {
      writeMark(folder, { idempotencyKey: context.idempotencyKey, text });
      await afterwards('mark', context);
      return { text: `marked ${text}`, isError: false };
    },
  });
  const look = defineTool({
    name: 'look',
    description: 'Looks.',
    level: 'safe',
    effect: 'read',
    isForSandbox: true,
    input,
    run: async ({ text }, context) => {
      await afterwards('look', context);
      if (text.endsWith('c2')) throw new Error(`${text} cannot be looked at`);
      return { text: `seen ${text}`, isError: false };
    },
  });
  return [note, mark, look];
}

/** Between the effect and its result the process may die, or the call be stopped. */
async function afterwards(name: string, { signal, progress }: ToolContext): Promise<void> {
  passTool(name);
  progress('it has happened, ');
  await sleep(AFTERWARDS_MS, undefined, { signal });
  progress('and is over');
}
