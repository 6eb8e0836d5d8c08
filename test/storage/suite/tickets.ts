import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTicket, deleteTicket, getTicket, listTickets, updateTicket } from '../../../src/storage/tickets.ts';
import { newOwner, type OpenDb } from './backend.ts';

export function ticketTests(db: OpenDb): void {
  it('creates with defaults and gives exactly the promised fields', async () => {
    const owner = newOwner();
    const ticket = await createTicket(db(), owner, { title: 'Broken' });
    expect(ticket).toStrictEqual({
      id: expect.stringMatching(/^ticket_[0-9a-z]{24}$/),
      key: 'PC-1',
      title: 'Broken',
      description: null,
      type: 'task',
      priority: 3,
      status: 'open',
      labels: [],
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: ticket.createdAt,
    });
    expect(await getTicket(db(), owner, ticket.id)).toStrictEqual(ticket);
  });

  it('keeps every given field', async () => {
    const owner = newOwner();
    const input = { title: 'T', description: 'D', type: 'bug', priority: 1, status: 'done', labels: ['ui'] } as const;
    const ticket = await createTicket(db(), owner, { ...input, labels: [...input.labels] });
    expect(ticket).toMatchObject(input);
    expect(await getTicket(db(), owner, ticket.key)).toStrictEqual(ticket);
  });

  it('is found, changed and deleted by id or by key in any case', async () => {
    const owner = newOwner();
    await createTicket(db(), owner, { title: 'first' });
    const ticket = await createTicket(db(), owner, { title: 'second' });
    expect(ticket.key).toBe('PC-2');
    for (const name of [ticket.id, 'PC-2', 'pc-2', 'Pc-2']) {
      expect(await getTicket(db(), owner, name)).toStrictEqual(ticket);
    }
    for (const name of ['PC-3', 'PC-02', 'PC-', '2', 'PC-2 ', 'PC-0', 'PC-2147483648', 'PC-99999999999', '', 'a\0b']) {
      expect(await getTicket(db(), owner, name)).toBeUndefined();
      expect(await updateTicket(db(), owner, name, { title: 'x' })).toBeUndefined();
      expect(await deleteTicket(db(), owner, name)).toBe(false);
    }
    expect(await updateTicket(db(), owner, 'pc-2', { title: 'by key' })).toMatchObject({
      title: 'by key',
      key: 'PC-2',
    });
    expect(await updateTicket(db(), owner, ticket.id, { priority: 1 })).toMatchObject({ title: 'by key', priority: 1 });
    expect(await deleteTicket(db(), owner, 'pc-2')).toBe(true);
    expect(await deleteTicket(db(), owner, ticket.id)).toBe(false);
    expect(await getTicket(db(), owner, 'PC-1')).toMatchObject({ title: 'first' });
  });

  it('changes the given fields only, and null clears', async () => {
    const owner = newOwner();
    const ticket = await createTicket(db(), owner, { title: 'T', description: 'D', type: 'bug', labels: ['x'] });
    await sleep(5);
    const changed = await updateTicket(db(), owner, ticket.id, { status: 'closed' });
    expect(changed).toStrictEqual({ ...ticket, status: 'closed', updatedAt: changed?.updatedAt });
    expect(changed?.updatedAt.localeCompare(ticket.updatedAt)).toBe(1);
    const cleared = await updateTicket(db(), owner, ticket.id, { description: null, labels: ['y', 'z'] });
    expect(cleared).toMatchObject({ description: null, labels: ['y', 'z'], type: 'bug', status: 'closed' });
  });

  it('never gives a number again, not even that of a deleted highest one', async () => {
    const owner = newOwner();
    await createTicket(db(), owner, { title: '1' });
    await createTicket(db(), owner, { title: '2' });
    expect(await deleteTicket(db(), owner, 'PC-2')).toBe(true);
    expect((await createTicket(db(), owner, { title: '3' })).key).toBe('PC-3');
    expect((await createTicket(db(), newOwner(), { title: 'of somebody else' })).key).toBe('PC-1');
  });

  it('gives the number back if the ticket cannot be stored', async () => {
    const owner = newOwner();
    await expect(createTicket(db(), owner, { title: 'T', priority: Number.NaN })).rejects.toThrow('NaN');
    expect((await createTicket(db(), owner, { title: 'T' })).key).toBe('PC-1');
  });

  it('takes part in the transaction of its caller', async () => {
    const owner = newOwner();
    const undone = db()
      .transaction()
      .execute(async (transaction) => {
        expect((await createTicket(transaction, owner, { title: 'undone' })).key).toBe('PC-1');
        throw new Error('undo');
      });
    await expect(undone).rejects.toThrow('undo');
    expect(await listTickets(db(), owner, { limit: 10, offset: 0 })).toEqual({ tickets: [], total: 0 });
    expect((await createTicket(db(), owner, { title: 'kept' })).key).toBe('PC-1');
  });

  it('lists newest first, in pages, with the total, by status', async () => {
    const owner = newOwner();
    for (let i = 1; i <= 12; i++) await createTicket(db(), owner, { title: 'T', status: i > 9 ? 'done' : 'open' });
    const keys = async (options: Parameters<typeof listTickets>[2]) => {
      const { tickets, total } = await listTickets(db(), owner, options);
      return [total, ...tickets.map((ticket) => ticket.key)];
    };
    expect(await keys({ limit: 3, offset: 0 })).toEqual([12, 'PC-12', 'PC-11', 'PC-10']);
    expect(await keys({ limit: 3, offset: 10 })).toEqual([12, 'PC-2', 'PC-1']);
    expect(await keys({ limit: 2, offset: 1, status: 'done' })).toEqual([3, 'PC-11', 'PC-10']);
    expect(await keys({ limit: 2, offset: 0, status: 'closed' })).toEqual([0]);
  });

  it('shows, changes and deletes nothing for a foreign owner', async () => {
    const owner = newOwner();
    const stranger = newOwner();
    const ticket = await createTicket(db(), owner, { title: 'T' });
    for (const name of [ticket.id, ticket.key]) {
      expect(await getTicket(db(), stranger, name)).toBeUndefined();
      expect(await updateTicket(db(), stranger, name, { title: 'stolen' })).toBeUndefined();
      expect(await deleteTicket(db(), stranger, name)).toBe(false);
    }
    expect(await listTickets(db(), stranger, { limit: 10, offset: 0 })).toEqual({ tickets: [], total: 0 });
    expect(await listTickets(db(), stranger, { limit: 10, offset: 1 })).toEqual({ tickets: [], total: 0 });
    expect(await getTicket(db(), owner, ticket.id)).toStrictEqual(ticket);
  });
}
