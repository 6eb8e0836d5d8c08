import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { TICKET_STATUSES, TICKET_TYPES } from '../../storage/schema.ts';
import { createTicket, deleteTicket, getTicket, listTickets, updateTicket } from '../../storage/tickets.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, Labels, Paging, Priority, Time, text } from '../schemas.ts';

const Status = z.enum(TICKET_STATUSES);
const Type = z.enum(TICKET_TYPES);

const Ticket = z
  .object({
    id: z.string(),
    key: z.string().describe('Like `PC-12`; a ticket is found by it too.'),
    title: z.string(),
    description: z.string().nullable(),
    type: Type,
    priority: Priority,
    status: Status,
    labels: z.array(z.string()),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Ticket' });

const Fields = z.strictObject({
  title: text(500),
  description: text(1_000_000).nullable().optional(),
  type: Type.optional(),
  priority: Priority.optional(),
  status: Status.optional(),
  labels: Labels.optional(),
});

const One = z.object({ ticket: Ticket });

/** CRUD of tickets. */
export const ticketRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/tickets',
    scope: 'chat',
    tag: 'Tickets',
    summary: 'Tickets, newest first',
    query: z.strictObject({ ...Paging, status: Status.optional() }),
    response: z.object({ tickets: z.array(Ticket), total: z.int() }),
    handle: ({ services, owner, query }) => listTickets(services.database.db, owner, query),
  }),
  defineRoute({
    method: 'post',
    path: '/api/tickets',
    scope: 'chat',
    tag: 'Tickets',
    summary: 'Create a ticket',
    body: Fields,
    status: 201,
    response: One,
    creates: true,
    handle: async ({ services, owner, body, newId }) => ({
      ticket: await createTicket(services.database.db, owner, body, newId('ticket')),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/tickets/{id}',
    scope: 'chat',
    tag: 'Tickets',
    summary: 'Read a ticket, by id or key',
    params: IdParams,
    response: One,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id } }) => {
      const ticket = await getTicket(services.database.db, owner, id);
      if (!ticket) throw new NotFoundError('Ticket', id);
      return { ticket };
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/api/tickets/{id}',
    scope: 'chat',
    tag: 'Tickets',
    summary: 'Change a ticket; what is not given stays',
    params: IdParams,
    body: Fields.partial(),
    response: One,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id }, body }) => {
      const ticket = await updateTicket(services.database.db, owner, id, body);
      if (!ticket) throw new NotFoundError('Ticket', id);
      return { ticket };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/tickets/{id}',
    scope: 'chat',
    audit: { action: 'ticket.delete', target: ({ params }) => params.id },
    tag: 'Tickets',
    summary: 'Delete a ticket',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id } }) => {
      if (!(await deleteTicket(services.database.db, owner, id))) throw new NotFoundError('Ticket', id);
      return { message: 'Ticket deleted' };
    },
  }),
];
