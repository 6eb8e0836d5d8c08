import { createHash } from 'node:crypto';
import { z } from 'zod';
import { idFrom } from '../../core/ids.ts';
import { createTicket as storeTicket } from '../../storage/tickets.ts';
import { TicketFields } from '../record-fields.ts';
import { defineTool } from '../tool.ts';

const TOKEN_CHARS = 24;

/** Stores a ticket of the owner's. Its id is made of the call's key, so that a call that is repeated makes no second one. */
export const createTicket = defineTool({
  name: 'create_ticket',
  description: 'Files a ticket for the user. Returns it with its key, like PC-12.',
  level: 'moderate',
  effect: 'idempotent',
  isForSandbox: false,
  input: z.strictObject({ ...z.strictObject(TicketFields).partial().shape, title: TicketFields.title }),
  run: async (given, { db, owner, idempotencyKey }) => {
    const token = createHash('sha256')
      .update(JSON.stringify([owner, idempotencyKey]))
      .digest('hex');
    const ticket = await storeTicket(db, owner, given, idFrom('ticket', token.slice(0, TOKEN_CHARS)));
    return { text: JSON.stringify(ticket, null, 2), isError: false };
  },
});
