import { z } from 'zod';
import { getToolResultIn } from '../../storage/tool-results.ts';
import { pieceOf } from '../piece-of.ts';
import { defineTool } from '../tool.ts';

/** The name of the tool that reads on in a long result. */
export const READ_RESULT = 'read_result';

/** With what is said beside it, a piece is shorter than a result that would be cut itself. */
const MAX_CHARS = 25_000;
const DEFAULT_CHARS = 20_000;

/** Reads on in a result of this conversation that was too long to be shown as a whole. */
export const readResult = defineTool({
  name: READ_RESULT,
  description:
    'Reads on in a result of an earlier call that was too long to be shown as a whole; the note in its middle names its id and where to go on.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({
    id: z.string().min(1).max(200).describe('As the note in the result names it.'),
    offset: z.int().min(0).default(0).describe('The first character to read, counted from 0.'),
    limit: z.int().min(1).max(MAX_CHARS).default(DEFAULT_CHARS).describe('How many characters to read at most.'),
  }),
  run: async ({ id, offset, limit }, { db, owner, conversationId }) => {
    const result = await getToolResultIn(db, owner, conversationId, id);
    if (!result)
      throw new Error(
        `This conversation has no result with the id ${JSON.stringify(id)}. Give the id as the note in a result names it; what was deleted is gone, and the call has to be made again.`,
      );
    const { text } = result;
    if (offset >= text.length)
      throw new Error(`The result has ${text.length} characters, so there are none from ${offset} on.`);
    const { piece, next } = pieceOf(text, offset, limit);
    const end = next === null ? 'its end' : `${READ_RESULT} with the offset ${next} reads on`;
    return {
      text: `${piece}\n[characters ${offset} to ${offset + piece.length} of ${text.length}; ${end}]`,
      isError: false,
    };
  },
});
