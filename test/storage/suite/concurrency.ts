import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTask, deleteTask, listTasks, updateTask } from '../../../src/storage/tasks.ts';
import { createTicket, listTickets } from '../../../src/storage/tickets.ts';
import { newOwner, type OpenDb } from './backend.ts';

export function concurrencyTests(db: OpenDb): void {
  it('gives 100 tickets that are created at once 100 consecutive keys', async () => {
    const owner = newOwner();
    const other = newOwner();
    const created = await Promise.all(
      Array.from({ length: 200 }, (_, i) => createTicket(db(), i % 2 === 0 ? owner : other, { title: `${i}` })),
    );
    for (const half of [0, 1]) {
      const numbers = created.filter((_, i) => i % 2 === half).map((ticket) => Number(ticket.key.slice(3)));
      expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    }
    expect((await listTickets(db(), owner, { limit: 1, offset: 0 })).total).toBe(100);
  });

  it('keeps a query outside of a transaction out of it', async () => {
    const owner = newOwner();
    let seenInside = -1;
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>();
    const undone = db()
      .transaction()
      .execute(async (transaction) => {
        await createTask(transaction, owner, { title: 'undone', prompt: '' });
        wrote();
        await sleep(60);
        seenInside = (await listTasks(transaction, owner, { limit: 10, offset: 0 })).total;
        throw new Error('undo');
      });
    await written;
    const outside = Promise.all([
      createTask(db(), owner, { title: 'kept', prompt: '' }),
      listTasks(db(), owner, { limit: 10, offset: 0 }),
    ]);
    await expect(undone).rejects.toThrow('undo');
    const [, listed] = await outside;
    expect(listed.tasks.map((task) => task.title)).not.toContain('undone');
    expect(seenInside).toBeGreaterThan(0);
    const { tasks } = await listTasks(db(), owner, { limit: 10, offset: 0 });
    expect(tasks.map((task) => task.title)).toEqual(['kept']);
  });

  it('commits or undoes each of many parallel transactions as a whole', async () => {
    const owner = newOwner();
    await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) =>
        db()
          .transaction()
          .execute(async (transaction) => {
            await createTask(transaction, owner, { title: `${i}`, prompt: '' });
            await sleep(Math.random() * 3);
            await createTask(transaction, owner, { title: `${i}`, prompt: '' });
            if (i % 4 === 0) throw new Error('undo');
          }),
      ),
    );
    const { tasks, total } = await listTasks(db(), owner, { limit: 1000, offset: 0 });
    expect(total).toBe(60);
    const expected = Array.from({ length: 40 }, (_, i) => i).filter((i) => i % 4 !== 0);
    expect(tasks.map((task) => Number(task.title)).sort((a, b) => a - b)).toEqual(expected.flatMap((i) => [i, i]));
  });

  it('works on after many transactions have failed', async () => {
    const owner = newOwner();
    const failing = Array.from({ length: 30 }, () =>
      db()
        .transaction()
        .execute(async (transaction) => {
          await createTicket(transaction, owner, { title: 'T' });
          await transaction.insertInto('ticket_counters').values({ owner, last: 1 }).execute();
        }),
    );
    for (const outcome of await Promise.allSettled(failing)) expect(outcome.status).toBe('rejected');
    expect((await createTicket(db(), owner, { title: 'T' })).key).toBe('PC-1');
  });

  it('lets one of many deletions win', async () => {
    const owner = newOwner();
    const task = await createTask(db(), owner, { title: 'T', prompt: '' });
    const wins = await Promise.all(Array.from({ length: 20 }, () => deleteTask(db(), owner, task.id)));
    expect(wins.filter((won) => won)).toHaveLength(1);
  });

  it('loses no field when two changes meet', async () => {
    const owner = newOwner();
    const task = await createTask(db(), owner, { title: 'T', prompt: '' });
    await Promise.all([
      updateTask(db(), owner, task.id, { title: 'new title' }),
      updateTask(db(), owner, task.id, { prompt: 'new prompt' }),
      updateTask(db(), owner, task.id, { priority: 1 }),
    ]);
    const { tasks } = await listTasks(db(), owner, { limit: 1, offset: 0 });
    expect(tasks[0]).toMatchObject({ title: 'new title', prompt: 'new prompt', priority: 1 });
  });
}
