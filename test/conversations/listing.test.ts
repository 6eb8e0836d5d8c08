import { beforeAll, describe, expect, it } from 'vitest';
import { createConversation } from '../../src/storage/conversations.ts';
import { indexEntries } from '../../src/storage/search.ts';
import { issuePaths, method } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { CONVERSATIONS, onBothDatabases, type Rig } from './rig.ts';

const idsOf = ({ conversations }: Json): string[] => conversations.map(({ id }: Json) => id);

let words = 0;
/** A word that no other text has. */
const newWord = (): string => `word${++words}z`;

onBothDatabases((rig) => {
  /** A task, so that a test has a list of its own. */
  const newTask = async (): Promise<string> =>
    (await rig().server.call('/api/tasks', { title: 'T', prompt: 'P' })).body.task.id;

  const newTicket = async (): Promise<Json> => (await rig().server.call('/api/tickets', { title: 'T' })).body.ticket;

  /** A conversation of another owner, found by a word. */
  async function createOthers(word: string, taskId: string | null): Promise<string> {
    const { db, close } = await rig().open();
    const input = { titleBy: 'client', presetId: 'writer', ticketId: null, model: null, systemPrompt: null } as const;
    const rest = { temperature: null, maxTokens: null, metadata: '{}', taskId };
    const { id, number } = await createConversation(db, 'other', { title: word, ...input, ...rest });
    await indexEntries(db, number, [{ seq: 1, text: `${word} message` }]);
    await close();
    return id;
  }

  // Others were there first.
  beforeAll(async () => {
    for (const word of ['theirs', 'theirs too']) await createOthers(word, null);
  });

  /** So many conversations, the newest first. */
  async function several(count: number, fields: object): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) ids.unshift((await rig().create(fields)).id);
    return ids;
  }

  describe('pages', () => {
    it('the newest activity comes first', async () => {
      const taskId = await newTask();
      const [third = '', second = '', first = ''] = await several(3, { taskId });
      const order = async () => idsOf(await rig().list(`?taskId=${taskId}`));
      expect(await order()).toEqual([third, second, first]);
      await rig().send(first, 'Hi');
      expect(await order()).toEqual([first, third, second]);
      await rig().patch(second, { title: 'T' });
      expect(await order()).toEqual([second, first, third]);
      await rig().remove(`${first}/messages/${(await rig().read(first)).messages[1].id}`);
      expect(await order()).toEqual([first, second, third]);
      await rig().read(third);
      expect(await order()).toEqual([first, second, third]);
    });

    it('are 20 long unless asked otherwise, and say how many there are in all', async () => {
      const taskId = await newTask();
      const ids = await several(25, { taskId });
      const page = (query: string) => rig().list(`?taskId=${taskId}${query}`);
      const first = await page('');
      expect([idsOf(first), first.total]).toEqual([ids.slice(0, 20), 25]);
      const rest = await page(`&cursor=${first.nextCursor}`);
      expect([idsOf(rest), rest.total, rest.nextCursor]).toEqual([ids.slice(20), 25, null]);
      for (const [query, from, to] of [
        ['&offset=20', 20, 25],
        ['&limit=3&offset=2', 2, 5],
        ['&limit=100', 0, 25],
        ['&offset=25', 25, 25],
        ['&offset=9007199254740991', 25, 25],
      ] as const) {
        const { total, ...answer } = await page(query);
        expect([query, idsOf(answer), total]).toEqual([query, ids.slice(from, to), 25]);
      }
      const middle = await page('&limit=10&offset=5');
      expect(idsOf(await page(`&limit=10&cursor=${middle.nextCursor}`))).toEqual(ids.slice(15));
      expect(first.conversations[0]).toEqual((await rig().read(ids[0]!)).conversation);
    });

    it('have no gap and no repetition, also of conversations of the same millisecond', async () => {
      const taskId = await newTask();
      const title = newWord();
      const ids = await several(12, { taskId, title });
      const database = await rig().open();
      const moment = { updated_at: '2026-01-01T00:00:00.000Z' };
      await database.db.updateTable('conversations').set(moment).where('task_id', '=', taskId).execute();
      await database.close();
      for (const limit of [1, 5, 6, 11, 12, 13]) {
        for (const filter of [`taskId=${taskId}`, `q=${title}`]) {
          expect(await walk(rig(), `${filter}&limit=${limit}`)).toEqual(ids);
        }
      }
    });

    it('a walk sees each once, whoever comes and goes meanwhile', async () => {
      const taskId = await newTask();
      const ids = await several(9, { taskId });
      const seen = await walk(rig(), `taskId=${taskId}&limit=2`, async (page) => {
        await rig().create({ taskId });
        // What was seen is deleted, and so is the place where the next page begins.
        await rig().remove(page.at(-1)!);
      });
      expect(seen).toEqual(ids);
    });

    it('without a filter have all there are', async () => {
      const { total } = await rig().list('?limit=1');
      const id = (await rig().create()).id;
      const counts = async () => (await rig().list('?limit=1')).total - total;
      expect(await counts()).toBe(1);
      await rig().server.call(`${CONVERSATIONS}/${id}/fork`, {});
      expect(await counts()).toBe(2);
      await rig().server.call(`${CONVERSATIONS}/import`, { messages: [{ role: 'user', content: 'x' }] });
      expect(await counts()).toBe(3);
      await rig().remove(id);
      await rig().remove(id);
      await rig().server.call(CONVERSATIONS, { taskId: 'none' });
      expect(await counts()).toBe(2);
      const all = await walk(rig(), 'limit=7');
      expect([all.length, new Set(all).size]).toEqual([total + 2, total + 2]);
      expect((await rig().list(`?limit=1&offset=${total}`)).total).toBe(total + 2);
    });
  });

  describe('filters', () => {
    it('by task and by ticket, which may be named by its key', async () => {
      const taskId = await newTask();
      const ticket = await newTicket();
      const ofTask = (await rig().create({ taskId })).id;
      const ofBoth = (await rig().create({ taskId, ticketId: ticket.id })).id;
      const ofTicket = (await rig().create({ ticketId: ticket.key })).id;
      const found = async (query: string) => {
        const { conversations, total } = await rig().list(query);
        expect(total).toBe(conversations.length);
        return conversations.map(({ id }: Json) => id);
      };
      expect(await found(`?taskId=${taskId}`)).toEqual([ofBoth, ofTask]);
      for (const name of [ticket.id, ticket.key, ticket.key.toLowerCase()]) {
        expect(await found(`?ticketId=${name}`)).toEqual([ofTicket, ofBoth]);
      }
      expect(await found(`?taskId=${taskId}&ticketId=${ticket.id}`)).toEqual([ofBoth]);
      await rig().server.call(`/api/tickets/${ticket.id}`, undefined, method('DELETE'));
      expect(await found(`?ticketId=${ticket.id}`)).toEqual([ofTicket, ofBoth]);
      for (const nothing of ['none', '%00', '%F0%9F%A6%80', 'PC-99999999999999'])
        for (const field of ['taskId', 'ticketId']) expect(await found(`?${field}=${nothing}`)).toEqual([]);
    });

    it('by words of titles and of messages of either side', async () => {
      const [inTitle, inMessage, inAnswer] = [newWord(), newWord(), newWord()];
      const { id } = await rig().create({ title: `A Títle ${inTitle}` });
      await rig().send(id, `Ask ${inMessage}`, {}, `Say ${inAnswer} 日本語`);
      const finds = async (q: string) => {
        const { conversations, total } = await rig().list(`?q=${encodeURIComponent(q)}`);
        expect(total).toBe(conversations.length);
        return conversations.some((found: Json) => found.id === id);
      };
      for (const q of [inTitle, inMessage, inAnswer]) {
        expect(await finds(q)).toBe(true);
        expect(await finds(q.slice(0, -1).toUpperCase())).toBe(true);
        expect(await finds(q.slice(1))).toBe(false);
      }
      for (const q of [`titl ${inTitle}`, `${inTitle} TÎTLE`, `"${inMessage}" (ask)`, `${inAnswer} 本`]) {
        expect([q, await finds(q)]).toEqual([q, true]);
      }
      // All words in one place.
      for (const q of [`${inTitle} ${inMessage}`, `${inAnswer} ask`, `${inAnswer} OR x`, '…', '%', '\0', "'"]) {
        expect([q, await finds(q)]).toEqual([q, false]);
      }
    });

    it('by words that are there no more or again', async () => {
      const [old, fresh, gone, failed] = [newWord(), newWord(), newWord(), newWord()];
      const { id } = await rig().create({ title: old });
      const finds = async (q: string) => idsOf(await rig().list(`?q=${q}`)).includes(id);
      expect(await finds(old)).toBe(true);
      await rig().patch(id, { title: fresh });
      expect([await finds(old), await finds(fresh)]).toEqual([false, true]);
      rig().upstream.replies.push({ status: 400, json: { error: { message: 'No.' } } });
      await rig().send(id, failed);
      await rig().send(id, gone);
      expect([await finds(failed), await finds(gone)]).toEqual([true, true]);
      await rig().remove(`${id}/messages/${(await rig().read(id)).messages[1].id}`);
      expect([await finds(failed), await finds(gone), await finds(fresh)]).toEqual([true, false, true]);
      await rig().remove(id);
      expect([await finds(failed), await finds(fresh)]).toEqual([false, false]);
    });

    it('all at once, page by page', async () => {
      const taskId = await newTask();
      const word = newWord();
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) {
        ids.unshift((await rig().create({ taskId, title: `${word} ${i}` })).id);
        await rig().create({ title: word });
        await rig().create({ taskId });
      }
      // More than one entry of a conversation must not make it more than one.
      for (const id of ids.slice(0, 3).toReversed()) await rig().send(id, word);
      for (const limit of [2, 7, 20])
        expect(await walk(rig(), `q=${word}&taskId=${taskId}&limit=${limit}`)).toEqual(ids);
      expect((await rig().list(`?q=${word}&taskId=${taskId}&limit=1&offset=6`)).total).toBe(7);
      expect((await rig().list(`?q=${word}&limit=1`)).total).toBe(14);
    });

    it('never show what another owner has', async () => {
      const word = newWord();
      const { total } = await rig().list('?limit=1');
      const taskId = await newTask();
      const theirs = await createOthers(word, taskId);
      for (const query of [`?q=${word}`, `?q=${word}&taskId=${taskId}`, `?taskId=${taskId}`]) {
        expect(await rig().list(query)).toEqual({ conversations: [], total: 0, nextCursor: null });
      }
      expect((await rig().list('?limit=1')).total).toBe(total);
      expect(await walk(rig(), 'limit=50')).not.toContain(theirs);
    });
  });

  describe('messages of a conversation', () => {
    /** All of them, page by page from the last. */
    async function backwards(id: string, query: string): Promise<Json[][]> {
      const pages: Json[][] = [];
      for (let before = ''; ; ) {
        const { messages, hasMore, nextBefore } = await rig().read(id, `?${query}${before}`);
        pages.unshift(messages);
        expect(nextBefore).toBe(hasMore ? messages[0].seq : null);
        if (!hasMore) return pages;
        before = `&before=${nextBefore}`;
      }
    }

    it('3,000 are paged without gap or repetition, and exported whole', async () => {
      const roles = ['user', 'assistant'];
      const messages = Array.from({ length: 3000 }, (_, i) => ({ role: roles[i % 2], content: `message ${i}` }));
      const wanted = messages.map(({ content }) => content);
      const { id, messageCount } = await rig().import({ messages });
      expect(messageCount).toBe(3000);
      for (const limit of [1000, 999, 77]) {
        const pages = await backwards(id, `limit=${limit}`);
        expect(pages.flat().map(({ content }) => content)).toEqual(wanted);
        expect(pages.slice(1).every(({ length }) => length === limit)).toBe(true);
      }
      expect((await rig().read(id)).messages).toHaveLength(1000);
      const past = await rig().read(id, '?before=1');
      expect([past.messages, past.hasMore, past.nextBefore]).toEqual([[], false, null]);
      expect((await rig().read(id, '?before=9007199254740991&limit=1')).messages[0].content).toBe('message 2999');
      expect((await rig().export(id)).messages.map(({ content }: Json) => content)).toEqual(wanted);
      const markdown = await fetch(`${rig().server.url}${CONVERSATIONS}/${id}/export?format=markdown`);
      expect((await markdown.text()).match(/(?<=^message )\d+$/gm)).toEqual(wanted.map((text) => text.slice(8)));
    });
  });

  describe('wrong queries are 400', () => {
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const moment = '2026-01-01T00:00:00.000Z';

    it.each<[string, string[]]>([
      ['limit=0', ['limit']],
      ['limit=101', ['limit']],
      ['limit=x&offset=-1', ['limit', 'offset']],
      ['limit=1.5', ['limit']],
      ['limit=', ['limit']],
      ['limit=1&limit=2', ['limit']],
      ['offset=1e30', ['offset']],
      ['q=', ['q']],
      [`q=${'x'.repeat(201)}`, ['q']],
      [`q=${'x'.repeat(10_000)}`, ['q']],
      ['taskId=&ticketId=', ['taskId', 'ticketId']],
      [`taskId=${'x'.repeat(201)}`, ['taskId']],
      ['nonsense=1&__proto__=2&limit=0', ['__proto__', 'limit', 'nonsense']],
      [`cursor=${'x'.repeat(501)}`, ['cursor']],
      [`cursor=${encoded([moment, 'conv_1'])}&offset=1`, ['offset']],
      ['cursor=', ['cursor']],
      ['cursor=%00', ['cursor']],
      ['cursor=garbage', ['cursor']],
      ['cursor=%F0%9F%A6%80', ['cursor']],
      [`cursor=${encoded({ at: moment })}`, ['cursor']],
      [`cursor=${encoded(null)}`, ['cursor']],
      [`cursor=${encoded([])}`, ['cursor']],
      [`cursor=${encoded([moment])}`, ['cursor']],
      [`cursor=${encoded([moment, 'conv_1', 1])}`, ['cursor']],
      [`cursor=${encoded([moment, 5])}`, ['cursor']],
      [`cursor=${encoded([null, 'conv_1'])}`, ['cursor']],
      [`cursor=${encoded(['soon', 'conv_1'])}`, ['cursor']],
      [`cursor=${encoded([moment, 'conv_\0'])}`, ['cursor']],
      [`cursor=${encoded([`${moment}\0`, 'conv_1'])}`, ['cursor']],
      [`cursor=${encoded([moment, '\ud800'])}`, ['cursor']],
      [`cursor=${encoded([moment, 'conv_1'])}!`, ['cursor']],
      [`cursor=${Buffer.from(`["${moment}", "conv_1"]`).toString('base64url')}`, ['cursor']],
    ])('%s', async (query, fields) => {
      const answer = await rig().server.call(`${CONVERSATIONS}?${query}`);
      expect(issuePaths(answer).toSorted()).toEqual(fields.map((field) => `query.${field}`));
    });

    it('a cursor of a conversation that is gone is none of them', async () => {
      const taskId = await newTask();
      const ids = await several(3, { taskId });
      const { nextCursor } = await rig().list(`?taskId=${taskId}&limit=1`);
      for (const id of ids) await rig().remove(id);
      expect(await rig().list(`?taskId=${taskId}&cursor=${nextCursor}`)).toMatchObject({ conversations: [], total: 0 });
    });

    it('long queries of short words are taken', async () => {
      for (const q of ['日'.repeat(200), 'a '.repeat(100), '"'.repeat(200), 'é*'.repeat(100)]) {
        expect((await rig().server.call(`${CONVERSATIONS}?q=${encodeURIComponent(q)}`)).status).toBe(200);
      }
    });
  });
});

/** The ids of all pages, one after the other by cursor; every page says the same total unless something is done. */
async function walk(rig: Rig, query: string, between?: (page: string[]) => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  const totals = new Set<number>();
  for (let cursor = ''; ; ) {
    const page = await rig.list(`?${query}${cursor}`);
    ids.push(...idsOf(page));
    totals.add(page.total);
    if (page.nextCursor === null) break;
    cursor = `&cursor=${page.nextCursor}`;
    await between?.(idsOf(page));
  }
  if (!between) expect(totals.size).toBe(1);
  return ids;
}
