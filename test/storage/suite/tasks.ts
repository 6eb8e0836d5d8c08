import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTask, deleteTask, getTask, listTasks, updateTask } from '../../../src/storage/tasks.ts';
import { newOwner, type OpenDb } from './backend.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function taskTests(db: OpenDb): void {
  it('creates with defaults and gives exactly the promised fields', async () => {
    const owner = newOwner();
    const task = await createTask(db(), owner, { title: 'Write', prompt: 'Write it' });
    expect(task).toStrictEqual({
      id: expect.stringMatching(/^task_[0-9a-z]{24}$/),
      title: 'Write',
      prompt: 'Write it',
      description: null,
      status: 'pending',
      priority: 3,
      labels: [],
      createdAt: expect.stringMatching(ISO),
      updatedAt: task.createdAt,
    });
    expect(await getTask(db(), owner, task.id)).toStrictEqual(task);
  });

  it('keeps every given field', async () => {
    const owner = newOwner();
    const input = {
      title: 'T',
      prompt: 'P',
      description: 'D',
      status: 'failed',
      priority: 1,
      labels: ['a', 'b "c"', ''],
    } as const;
    const task = await createTask(db(), owner, { ...input, labels: [...input.labels] });
    expect(task).toMatchObject(input);
    expect(await getTask(db(), owner, task.id)).toStrictEqual(task);
  });

  it('changes the given fields only, and null clears', async () => {
    const owner = newOwner();
    const task = await createTask(db(), owner, { title: 'T', prompt: 'P', description: 'D', labels: ['x'] });
    const bystander = await createTask(db(), owner, { title: 'other', prompt: 'other' });
    await sleep(5);
    const changed = await updateTask(db(), owner, task.id, { status: 'completed', title: undefined });
    expect(changed).toStrictEqual({ ...task, status: 'completed', updatedAt: changed?.updatedAt });
    expect(changed?.updatedAt.localeCompare(task.updatedAt)).toBe(1);
    const cleared = await updateTask(db(), owner, task.id, { description: null, labels: [], priority: 4 });
    expect(cleared).toMatchObject({ title: 'T', description: null, labels: [], priority: 4, status: 'completed' });
    expect(await getTask(db(), owner, task.id)).toStrictEqual(cleared);
    expect(await getTask(db(), owner, bystander.id)).toStrictEqual(bystander);
  });

  it('lists newest first, in pages, with the total, by status', async () => {
    const owner = newOwner();
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      const status = i % 2 === 0 ? 'pending' : 'completed';
      ids.unshift((await createTask(db(), owner, { title: `${i}`, prompt: '', status })).id);
    }
    const page = async (options: Parameters<typeof listTasks>[2]) => {
      const { tasks, total } = await listTasks(db(), owner, options);
      return { ids: tasks.map((task) => task.id), total };
    };
    expect(await page({ limit: 100, offset: 0 })).toEqual({ ids, total: 7 });
    expect(await page({ limit: 3, offset: 0 })).toEqual({ ids: ids.slice(0, 3), total: 7 });
    expect(await page({ limit: 3, offset: 6 })).toEqual({ ids: ids.slice(6), total: 7 });
    expect(await page({ limit: 7, offset: 0 })).toEqual({ ids, total: 7 });
    expect(await page({ limit: 3, offset: 50 })).toEqual({ ids: [], total: 7 });
    expect(await page({ limit: 2, offset: 0, status: 'completed' })).toEqual({ ids: [ids[1], ids[3]], total: 3 });
    expect(await page({ limit: 2, offset: 0, status: 'cancelled' })).toEqual({ ids: [], total: 0 });
  });

  it('orders by the time of creation, and by id within a millisecond', async () => {
    const owner = newOwner();
    const ids: string[] = [];
    for (const title of ['a', 'b', 'c', 'd']) ids.push((await createTask(db(), owner, { title, prompt: '' })).id);
    const at = (created_at: string, of: string[]) =>
      db().updateTable('tasks').set({ created_at }).where('id', 'in', of).execute();
    await at('2026-01-02T00:00:00.000Z', ids.slice(0, 2));
    await at('2026-01-01T00:00:00.000Z', ids.slice(2));
    const { tasks } = await listTasks(db(), owner, { limit: 10, offset: 0 });
    expect(tasks.map((task) => task.title)).toEqual(['b', 'a', 'd', 'c']);
  });

  it('deletes once', async () => {
    const owner = newOwner();
    const task = await createTask(db(), owner, { title: 'T', prompt: 'P' });
    const kept = await createTask(db(), owner, { title: 'T', prompt: 'P' });
    expect(await deleteTask(db(), owner, task.id)).toBe(true);
    expect(await deleteTask(db(), owner, task.id)).toBe(false);
    expect(await getTask(db(), owner, task.id)).toBeUndefined();
    expect(await updateTask(db(), owner, task.id, { title: 'again' })).toBeUndefined();
    expect((await listTasks(db(), owner, { limit: 10, offset: 0 })).tasks).toStrictEqual([kept]);
  });

  it('shows, changes and deletes nothing for a foreign owner', async () => {
    const owner = newOwner();
    const stranger = newOwner();
    const task = await createTask(db(), owner, { title: 'T', prompt: 'P' });
    expect(await getTask(db(), stranger, task.id)).toBeUndefined();
    expect(await listTasks(db(), stranger, { limit: 10, offset: 0 })).toEqual({ tasks: [], total: 0 });
    expect(await listTasks(db(), stranger, { limit: 10, offset: 0, status: 'pending' })).toEqual({
      tasks: [],
      total: 0,
    });
    // A page beyond the end takes the other way to the total.
    expect(await listTasks(db(), stranger, { limit: 10, offset: 1 })).toEqual({ tasks: [], total: 0 });
    expect(await updateTask(db(), stranger, task.id, { title: 'stolen' })).toBeUndefined();
    expect(await deleteTask(db(), stranger, task.id)).toBe(false);
    expect(await getTask(db(), owner, task.id)).toStrictEqual(task);
  });
}
