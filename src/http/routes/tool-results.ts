import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { getToolResult } from '../../storage/tool-results.ts';
import { pieceOf } from '../../tools/piece-of.ts';
import { defineRoute } from '../route.ts';
import { IdParams } from '../schemas.ts';

const MAX_CHARS = 100_000;

const ToolResult = z
  .object({
    id: z.string(),
    conversationId: z.string(),
    text: z.string().describe('The characters from `offset` on.'),
    offset: z.int(),
    total: z.int().describe('Characters of the whole, in UTF-16 units as all numbers here.'),
    nextOffset: z.int().nullable().describe('Null: it has no more.'),
  })
  .meta({ id: 'ToolResult' });

/** Results of tools that are too long for the conversation itself. */
export const toolResultRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/tools/results/{id}',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'A long result of a tool, a piece at a time',
    description:
      'A result of more than 30,000 characters is kept as a whole, up to two million; the call has its beginning and end, and a `resultId`. It is deleted with the conversation that it was made in.',
    params: IdParams,
    query: z.strictObject({
      offset: z.coerce.number().int().min(0).default(0).describe('The first character, counted from 0.'),
      limit: z.coerce.number().int().min(1).max(MAX_CHARS).default(MAX_CHARS),
    }),
    response: ToolResult,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id }, query: { offset, limit } }) => {
      const result = await getToolResult(services.database.db, owner, id);
      if (!result) throw new NotFoundError('Result', id);
      const { conversationId, text } = result;
      const { piece, next } = pieceOf(text, offset, limit);
      return { id, conversationId, text: piece, offset, total: text.length, nextOffset: next };
    },
  }),
];
