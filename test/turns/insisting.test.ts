import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Turns } from '../../src/conversations/turns.ts';
import { AppError } from '../../src/errors.ts';
import { createConversation } from '../../src/storage/conversations.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';

let database: Database;
let turns: Turns;
beforeAll(async () => {
  database = await openDatabase({ file: ':memory:' });
  turns = new Turns(database.db, pino({ level: 'silent' }), { waitMs: 1000 });
});
afterAll(async () => {
  await turns.stop(0);
  await database.close();
});

async function taken() {
  const row = await createConversation(database.db, 'anna', {
    title: 'T',
    titleBy: 'client',
    presetId: 'writer',
    taskId: null,
    ticketId: null,
    model: null,
    systemPrompt: null,
    temperature: null,
    maxTokens: null,
    metadata: '{}',
  });
  const signal = new AbortController().signal;
  return await turns.take('anna', row.id, signal, () => Promise.resolve({ value: row, firstSeq: 1 }));
}

const held = () => database.db.selectFrom('turns').select('id').execute();

it('an answer that the database refuses at first is stored all the same', async () => {
  const { turn } = await taken();
  let tries = 0;
  const end = turn.end(() => (++tries < 3 ? Promise.reject(new Error('the disk is full')) : Promise.resolve('stored')));
  await expect(end).resolves.toBe('stored');
  expect(tries).toBe(3);
  expect(await held()).toEqual([]);
});

it('but what is no fault of the database is not tried again', async () => {
  const { turn } = await taken();
  let tries = 0;
  const end = turn.end(() => {
    tries++;
    return Promise.reject(new AppError('conflict', 'No'));
  });
  await expect(end).rejects.toThrow('No');
  expect(tries).toBe(1);
  await turn.end(() => Promise.resolve());
});

it('a process that was late with its own turns does not declare them dead', async () => {
  const { turn } = await taken();
  await database.db.updateTable('turns').set({ expires_at: 0 }).execute();
  await turns.endExpired();
  expect(await held()).toEqual([{ id: turn.held.id }]);
  await expect(turn.end(() => Promise.resolve('stored'))).resolves.toBe('stored');
});
