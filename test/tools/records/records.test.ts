import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/storage/database.ts';
import { createTask, getTask as readTask, type Task } from '../../../src/storage/tasks.ts';
import { deleteTicket, listTickets, createTicket as storeTicket } from '../../../src/storage/tickets.ts';
import { createTicket } from '../../../src/tools/builtin/create-ticket.ts';
import { getTask } from '../../../src/tools/builtin/get-task.ts';
import { getTicket } from '../../../src/tools/builtin/get-ticket.ts';
import { updateTask } from '../../../src/tools/builtin/update-task.ts';
import type { Tool, ToolContext, ToolOutcome } from '../../../src/tools/tool.ts';
import { type PostgresServer, startPostgres } from '../../storage/embedded-postgres.ts';
import { NO_GRANT } from '../rig.ts';

// Tools over the owner's own tasks and tickets, on both databases.

const TASK = { title: 'Paint', prompt: 'Paint the fence', description: 'Green', labels: ['garden'], priority: 2 };

describe.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-records-'));
  let postgres: PostgresServer | undefined;
  let database: Database;

  beforeAll(async () => {
    if (kind === 'PostgreSQL') postgres = await startPostgres();
    database = await openDatabase({ databaseUrl: await postgres?.newDatabase(), file: join(folder, 'records.db') });
  });

  afterAll(async () => {
    await database.close();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const newOwner = (): string => `owner-${randomUUID()}`;

  /** Calls a tool as a run does. */
  function call(tool: Tool, owner: string, given: object, idempotencyKey: string = randomUUID()): Promise<ToolOutcome> {
    const context: ToolContext = {
      ...{ db: database.db, owner, conversationId: 'conv_1', workspace: folder, hidden: [], mode: 'full' },
      ...{ grant: NO_GRANT, signal: new AbortController().signal, idempotencyKey, progress: () => undefined },
    };
    return tool.run({ ...given }, context);
  }

  async function good<T>(outcome: Promise<ToolOutcome>): Promise<T> {
    const { text, isError } = await outcome;
    expect({ text, isError }).toEqual({ text, isError: false });
    return JSON.parse(text) as T;
  }

  const failure = (words: RegExp) => ({ text: expect.stringMatching(words), isError: true });

  describe('get_task', () => {
    it('reads a task with all its fields', async () => {
      const owner = newOwner();
      const task = await createTask(database.db, owner, TASK);
      expect(await good(call(getTask, owner, { id: task.id }))).toEqual(task);
    });

    it('does not find what there is not, or what is somebody else’s, in the same words', async () => {
      const task = await createTask(database.db, newOwner(), TASK);
      for (const id of [task.id, 'task_x', 'a\u0000b', '\ud800'])
        expect(await call(getTask, newOwner(), { id })).toEqual({
          text: `There is no task ${JSON.stringify(id)}. Its id begins with task_.`,
          isError: true,
        });
    });
  });

  describe('update_task', () => {
    it('changes what is given, and nothing else', async () => {
      const owner = newOwner();
      const { updatedAt: _, ...task } = await createTask(database.db, owner, TASK);
      const other = await createTask(database.db, owner, TASK);
      const given = { id: task.id, status: 'completed', description: null, labels: [] };
      const changed = await good<Task>(call(updateTask, owner, given));
      expect(changed).toMatchObject({ ...task, status: 'completed', description: null, labels: [] });
      expect(await readTask(database.db, owner, task.id)).toEqual(changed);
      expect(await readTask(database.db, owner, other.id)).toEqual(other);
    });

    it('does not touch what is somebody else’s', async () => {
      const owner = newOwner();
      const task = await createTask(database.db, owner, TASK);
      expect(await call(updateTask, newOwner(), { id: task.id, title: 'Mine' })).toEqual(
        failure(/^There is no task "/),
      );
      expect(await readTask(database.db, owner, task.id)).toEqual(task);
    });

    it.each<[what: string, given: object, words: RegExp]>([
      ['nothing', {}, /nothing to change/],
      ['an empty title', { title: '' }, /title: must not be empty/],
      ['a long title', { title: 'x'.repeat(501) }, /title: must be at most 500/],
      ['a status of its own', { status: 'nearly' }, /status: /],
      ['a priority that there is not', { priority: 5 }, /priority: /],
      ['a field that there is not', { owner: 'me' }, /owner/],
      ['too many labels', { labels: Array(51).fill('x') }, /labels: /],
      ['what no database holds', { prompt: 'a\u0000b' }, /NUL/],
    ])('refuses %s, and says why', async (_, given, words) => {
      const owner = newOwner();
      const task = await createTask(database.db, owner, TASK);
      expect(await call(updateTask, owner, { id: task.id, ...given })).toEqual(failure(words));
      expect(await readTask(database.db, owner, task.id)).toEqual(task);
    });
  });

  describe('get_ticket', () => {
    it('reads a ticket by its key, in any case, and by its id', async () => {
      const owner = newOwner();
      const ticket = await storeTicket(database.db, owner, { title: 'Broken', type: 'bug', labels: ['x'] });
      for (const id of [ticket.key, ticket.key.toLowerCase(), ticket.id])
        expect(await good(call(getTicket, owner, { id }))).toEqual(ticket);
    });

    it('does not find what is somebody else’s: everybody has a PC-1 of their own', async () => {
      const [mine, other] = [newOwner(), newOwner()];
      const ticket = await storeTicket(database.db, other, { title: 'Theirs' });
      for (const id of [ticket.id, 'PC-1', 'PC-99999999999999', 'a\u0000b'])
        expect(await call(getTicket, mine, { id })).toEqual(failure(/^There is no ticket "/));
      const own = await storeTicket(database.db, mine, { title: 'Mine' });
      expect(await good(call(getTicket, mine, { id: 'PC-1' }))).toEqual(own);
    });
  });

  describe('create_ticket', () => {
    it('files a ticket under the owner’s next key', async () => {
      const owner = newOwner();
      await storeTicket(database.db, owner, { title: 'First' });
      const given = { title: 'Second', description: 'More', type: 'bug', priority: 1, status: 'open', labels: ['a'] };
      const made = await good<{ id: string; key: string }>(call(createTicket, owner, given));
      expect(made).toMatchObject({ ...given, key: 'PC-2', id: expect.stringMatching(/^ticket_[0-9a-z]{24}$/) });
      expect((await listTickets(database.db, owner, { limit: 9, offset: 0 })).tickets[0]).toEqual(made);
    });

    it('makes one ticket of a call, however often it is carried out, and another one of another call', async () => {
      const [owner, other] = [newOwner(), newOwner()];
      const key = `msg_${randomUUID()}:0`;
      const made = await Promise.all([1, 2, 3].map(() => good(call(createTicket, owner, { title: 'Once' }, key))));
      expect(made).toEqual([made[0], made[0], made[0]]);
      await good(call(createTicket, owner, { title: 'Once' }, `${key}1`));
      await good(call(createTicket, other, { title: 'Once' }, key));
      const titlesOf = async (of: string) =>
        (await listTickets(database.db, of, { limit: 9, offset: 0 })).tickets.map((one) => `${one.key} ${one.title}`);
      expect(await titlesOf(owner)).toEqual(['PC-2 Once', 'PC-1 Once']);
      expect(await titlesOf(other)).toEqual(['PC-1 Once']);
      // What a person has deleted meanwhile is made anew, under a key of its own.
      await deleteTicket(database.db, owner, 'PC-1');
      expect(await good(call(createTicket, owner, { title: 'Once' }, key))).toMatchObject({ key: 'PC-3' });
    });

    it('refuses what a ticket cannot be', async () => {
      const owner = newOwner();
      for (const given of [
        {},
        { title: '' },
        { title: 'x', type: 'wish' },
        { title: 'x', key: 'PC-7' },
        { title: '\0' },
      ])
        expect(await call(createTicket, owner, given)).toMatchObject({ isError: true });
      expect((await listTickets(database.db, owner, { limit: 9, offset: 0 })).total).toBe(0);
    });
  });
});
