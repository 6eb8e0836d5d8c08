import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { idFrom, newToken } from '../../../src/core/ids.ts';
import { databaseNow } from '../../../src/storage/dialect.ts';
import {
  claimKey,
  finishKey,
  type KeyedTry,
  releaseKey,
  removeExpiredKeys,
  renewKeys,
} from '../../../src/storage/idempotency.ts';
import { createPreset, listPresets } from '../../../src/storage/presets.ts';
import { createTask, listTasks } from '../../../src/storage/tasks.ts';
import { createTicket, listTickets } from '../../../src/storage/tickets.ts';
import { newOwner, type OpenDb } from './backend.ts';

const HOUR = 3_600_000;
const ANSWER = { status: 201, contentType: 'application/json', text: '{"a":"\\u0000\\ud800 🦀"}' };

export function idempotencyTests(db: OpenDb): void {
  const again = (attempt: KeyedTry, change: Partial<KeyedTry> = {}): KeyedTry => ({
    ...attempt,
    node: randomUUID(),
    ...change,
  });
  const newTry = (): KeyedTry =>
    again({ owner: newOwner(), route: 'POST /api/tasks', key: 'k', fingerprint: 'f', node: '' });
  const claim = (attempt: KeyedTry) => claimKey(db(), attempt);
  const win = async (attempt: KeyedTry): Promise<string> => {
    const claimed = await claim(attempt);
    expect(claimed).toEqual({ state: 'won', token: expect.stringMatching(/^[0-9a-hjkmnp-tv-z]{24}$/) });
    return claimed.state === 'won' ? claimed.token : '';
  };
  const row = (attempt: KeyedTry) =>
    db()
      .selectFrom('idempotency_keys')
      .selectAll()
      .select((is) => is('expires_at', '-', databaseNow(db())).as('left'))
      .where('owner', '=', attempt.owner)
      .executeTakeFirst();
  /** Lets the lease or the end of the last try lie so many milliseconds ahead. */
  const setExpiry = (attempt: KeyedTry, ms: number) =>
    db()
      .updateTable('idempotency_keys')
      .set({ expires_at: sql<number>`${databaseNow(db())} + ${ms}` })
      .where('owner', '=', attempt.owner)
      .execute();

  it('has one winner, whom everybody else sees running, with the token of what it makes', async () => {
    const first = newTry();
    const token = await win(first);
    expect(await claim(again(first))).toEqual({ state: 'running', token });
    expect(await claim(again(first, { fingerprint: 'other' }))).toEqual({ state: 'mismatch' });
    const lease = (await row(first))?.left;
    expect(lease).toBeGreaterThan(5000);
    expect(lease).toBeLessThanOrEqual(15_000);
  });

  it.each<Partial<KeyedTry>>([{ owner: newOwner() }, { route: 'POST /api/tickets' }, { key: 'K' }])(
    'is another key with %j',
    async (change) => {
      const first = newTry();
      const token = await win(first);
      expect(await win(again(first, change))).not.toBe(token);
    },
  );

  it('gives the answer of a finished try, as it was', async () => {
    const first = newTry();
    await win(first);
    await finishKey(db(), first, ANSWER);
    expect(await claim(again(first))).toEqual({ state: 'finished', answer: ANSWER });
    expect(await claim(again(first, { fingerprint: 'other' }))).toEqual({ state: 'mismatch' });
    await releaseKey(db(), first);
    await finishKey(db(), first, { ...ANSWER, status: 200 });
    expect(await claim(again(first))).toEqual({ state: 'finished', answer: ANSWER });
  });

  it('is free after a failed try, for the same request and with the same token', async () => {
    const first = newTry();
    const token = await win(first);
    await releaseKey(db(), first);
    expect(await claim(again(first, { fingerprint: 'other' }))).toEqual({ state: 'mismatch' });
    await renewKeys(db(), [first.node]);
    const second = again(first);
    expect(await win(second)).toBe(token);
    expect(await claim(again(first))).toEqual({ state: 'running', token });
  });

  it('is taken over when its lease has run out; then the first one can end nothing any more', async () => {
    const first = newTry();
    const token = await win(first);
    await setExpiry(first, -1);
    const second = again(first);
    expect(await win(second)).toBe(token);
    await setExpiry(first, 1000);
    await renewKeys(db(), [first.node]);
    expect((await row(first))?.left).toBeLessThanOrEqual(1000);
    await releaseKey(db(), first);
    await finishKey(db(), first, ANSWER);
    expect(await claim(again(first))).toEqual({ state: 'running', token });
    await finishKey(db(), second, ANSWER);
    expect(await claim(again(first))).toEqual({ state: 'finished', answer: ANSWER });
  });

  it('keeps its lease as long as it is renewed, also a little late', async () => {
    const [first, second, third] = [newTry(), newTry(), newTry()];
    const tokens = [await win(first), await win(second), await win(third)];
    for (const attempt of [first, second, third]) await setExpiry(attempt, -1000);
    await renewKeys(db(), [first.node, second.node]);
    expect(await claim(again(first))).toEqual({ state: 'running', token: tokens[0] });
    expect(await claim(again(second))).toEqual({ state: 'running', token: tokens[1] });
    expect(await win(again(third))).toBe(tokens[2]);
    await setExpiry(first, -20_000);
    await renewKeys(db(), [first.node]);
    await win(again(first));
    await finishKey(db(), second, ANSWER);
    await renewKeys(db(), [second.node]);
    expect((await row(second))?.left).toBeLessThanOrEqual(0);
  });

  it.each([
    ['a new key', async () => {}],
    [
      'a dead one',
      async (attempt: KeyedTry) => {
        await win(attempt);
        await setExpiry(attempt, -1);
      },
    ],
    [
      'a failed one',
      async (attempt: KeyedTry) => {
        await win(attempt);
        await releaseKey(db(), attempt);
      },
    ],
    [
      'a forgotten one',
      async (attempt: KeyedTry) => {
        await win(attempt);
        await finishKey(db(), attempt, ANSWER);
        await setExpiry(attempt, -25 * HOUR);
      },
    ],
  ])('has one winner of 50 who race for %s', async (_, prepare) => {
    const attempt = newTry();
    await prepare(attempt);
    const claims = await Promise.all(Array.from({ length: 50 }, () => claim(again(attempt))));
    const states = claims.map(({ state }) => state).toSorted();
    expect(states).toEqual([...Array.from({ length: 49 }, () => 'running'), 'won']);
  });

  it('is forgotten a day after the end, not sooner', async () => {
    const first = newTry();
    const token = await win(first);
    await finishKey(db(), first, ANSWER);
    await setExpiry(first, -23.9 * HOUR);
    expect(await claim(again(first))).toMatchObject({ state: 'finished' });
    await setExpiry(first, -24.1 * HOUR);
    expect(await win(again(first, { fingerprint: 'other' }))).not.toBe(token);
    expect(await row(first)).toMatchObject({ fingerprint: 'other', status: null, content_type: null, answer: null });
  });

  it('is removed a day after its end, the oldest first, a few at a time', async () => {
    await removeExpiredKeys(db(), 1000);
    const [running, failed, late, later, latest] = [newTry(), newTry(), newTry(), newTry(), newTry()];
    for (const attempt of [running, failed, late, later, latest]) await win(attempt);
    await releaseKey(db(), failed);
    for (const [i, attempt] of [late, later, latest].entries()) {
      if (i > 0) await finishKey(db(), attempt, ANSWER);
      await setExpiry(attempt, -(27 - i) * HOUR);
    }
    expect(await removeExpiredKeys(db(), 2)).toBe(2);
    expect(await row(late)).toBeUndefined();
    expect(await row(later)).toBeUndefined();
    expect(await row(latest)).toBeDefined();
    expect(await removeExpiredKeys(db(), 2)).toBe(1);
    expect(await removeExpiredKeys(db(), 2)).toBe(0);
    expect(await row(running)).toBeDefined();
    expect(await row(failed)).toBeDefined();
  });

  it.each([
    [
      'task',
      (owner: string, title: string, id: string) => createTask(db(), owner, { title, prompt: '' }, id),
      async (owner: string) => (await listTasks(db(), owner, { limit: 9, offset: 0 })).tasks,
    ],
    [
      'ticket',
      (owner: string, title: string, id: string) => createTicket(db(), owner, { title }, id),
      async (owner: string) => (await listTickets(db(), owner, { limit: 9, offset: 0 })).tickets,
    ],
    [
      'preset',
      (owner: string, name: string, id: string) => createPreset(db(), owner, { name, systemPrompt: '' }, id),
      async (owner: string) => (await listPresets(db(), owner, { limit: 9, offset: 0 })).presets,
    ],
  ] as const)('makes a %s of a given id once, also of many at once', async (kind, create, list) => {
    const owner = newOwner();
    const [id, other] = [idFrom(kind, newToken()), idFrom(kind, newToken())];
    const first = await create(owner, 'first', id);
    expect(first).toMatchObject({ id });
    expect(await create(owner, 'second', id)).toStrictEqual(first);
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => create(owner, `${i}`, other)));
    expect(new Set(made.map((record) => JSON.stringify(record))).size).toBe(1);
    expect((await list(owner)).map((record) => record.id)).toEqual([other, id]);
    await expect(create(newOwner(), 'stolen', id)).rejects.toThrow(`${id} is taken`);
  });

  it('loses no number of a ticket that was there already', async () => {
    const owner = newOwner();
    const id = idFrom('ticket', newToken());
    await createTicket(db(), owner, { title: 'T' }, id);
    await Promise.all(Array.from({ length: 20 }, () => createTicket(db(), owner, { title: 'T' }, id)));
    expect((await createTicket(db(), owner, { title: 'T' })).key).toBe('PC-2');
    await expect(createTicket(db(), newOwner(), { title: 'T' }, id)).rejects.toThrow('taken');
  });
}
