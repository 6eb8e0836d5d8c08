import { z } from 'zod';
import { getTicket as readTicket } from '../../storage/tickets.ts';
import { RecordId } from '../record-fields.ts';
import { defineTool } from '../tool.ts';

/** Reads a ticket of the owner's. */
export const getTicket = defineTool({
  name: 'get_ticket',
  description: 'Reads one of the user’s tickets, as JSON.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({ id: RecordId.describe('Its key, like PC-12, or its id.') }),
  run: async ({ id }, { db, owner }) => {
    const ticket = await readTicket(db, owner, id);
    if (!ticket) throw new Error(`There is no ticket ${JSON.stringify(id)}. A ticket is named by its key, like PC-12.`);
    return { text: JSON.stringify(ticket, null, 2), isError: false };
  },
});
