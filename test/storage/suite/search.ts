import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { isPostgres } from '../../../src/storage/dialect.ts';
import { indexEntries, indexTitle, MAX_INDEXED_CHARS, matching, unindexEntries } from '../../../src/storage/search.ts';
import { newOwner, type OpenDb } from './backend.ts';

const LAST_SEQ = 2 ** 24 - 1;

// The numbers are made up and far from each other; random, because all tests of a run share one database.
let number = Math.floor(Math.random() * 2 ** 26) + 1000;
const newConversation = () => (number += 10);

export function searchTests(db: OpenDb): void {
  const find = async (q: string): Promise<number[]> => {
    const found = matching(db(), q);
    if (found === undefined) return [];
    const { rows } = await sql<{ number: number }>`
      select distinct number from (${found}) as found order by number`.execute(db());
    return rows.map((row) => row.number);
  };
  /** A conversation of these messages, and a word that each of them has, with its title, and nothing else. */
  const write = async (...texts: string[]) => {
    const conversation = newConversation();
    const own = `own${conversation}x`;
    const entries = texts.map((text, i) => ({ seq: i + 1, text: `${text} ${own}` }));
    await indexEntries(db(), conversation, entries);
    const finds = async (q: string) => (await find(`${own} ${q}`)).length === 1;
    return { conversation, own, finds };
  };

  it('finds a message that has all words, in any order and place', async () => {
    const { finds } = await write('The quick brown fox', 'jumps over the lazy dog');
    for (const q of ['quick', 'fox quick', 'the brown quick fox', 'DOG Lazy', 'the'])
      expect([q, await finds(q)]).toEqual([q, true]);
    for (const q of ['cat', 'quick cat', 'cat quick']) expect([q, await finds(q)]).toEqual([q, false]);
  });

  it('does not put together the words of two messages, or of a title and a message', async () => {
    const { conversation, own, finds } = await write('quick fox', 'lazy dog');
    await indexTitle(db(), conversation, `animals ${own}`);
    for (const q of ['quick dog', 'animals fox', 'fox lazy']) expect([q, await finds(q)]).toEqual([q, false]);
    expect(await find(own)).toEqual([conversation]);
  });

  it('takes every word as the beginning of one', async () => {
    const { finds } = await write('football season 2026');
    for (const q of ['f', 'foo', 'football', 'sea foot', '20', 'foot 2'])
      expect([q, await finds(q)]).toEqual([q, true]);
    for (const q of ['ball', 'footballs', 'foot seasons', 'otball', '026'])
      expect([q, await finds(q)]).toEqual([q, false]);
  });

  it('makes no difference of case, accents and forms', async () => {
    const { finds } = await write('Zażółć GĘŚLĄ jaźń, crème brûlée, ΟΔΟΣ, Straße, ﬁne, Война');
    const same = [
      'zażółć',
      'ZAZOŁC',
      'gesla',
      'Crème',
      'CREME brule\u0301e',
      'οδος',
      'ὉΔΌΣ',
      'straße',
      'FIN',
      'война',
      'ВОЙ',
    ];
    for (const q of same) expect([q, await finds(q)]).toEqual([q, true]);
    expect(await finds('zazolc')).toBe(false);
  });

  it('finds single characters of scripts without spaces', async () => {
    const { finds } = await write('日本語のテキスト、𠀀𠮷', '한국어를 배웁니다', 'สวัสดีครับ');
    for (const q of ['日本', '本', '語日', 'テキ', '𠮷', '日𠀀', '한국', '배웁 한국어', 'สวัส', 'ครับ']) {
      expect([q, await finds(q)]).toEqual([q, true]);
    }
    for (const q of ['中', '日中', '𠮸', '국어', '語 한국어를', 'ง']) expect([q, await finds(q)]).toEqual([q, false]);
  });

  it('finds nothing without a word', () => {
    for (const q of ['', ' ', '"', "'", '*', '-', '…', '()', '\\', '👩‍👩‍👧', '\0', '\ud800', ':*', '\u0301']) {
      expect([q, matching(db(), q)]).toEqual([q, undefined]);
    }
  });

  it('takes what looks like a query language for plain words', async () => {
    const { finds } = await write('alpha beta OR gamma', 'near');
    for (const q of [
      'alpha OR',
      '"alpha"',
      "'alpha'",
      'alpha*',
      '(alpha',
      'alpha)',
      'alpha\\',
      "\\'alpha",
      '{alpha}',
    ]) {
      expect([q, await finds(q)]).toEqual([q, true]);
    }
    for (const q of [
      'alpha & beta',
      'alpha:* | beta',
      '!alpha',
      'alpha<->gamma',
      '^alpha',
      '-alpha',
      '+alpha "beta"',
    ]) {
      expect([q, await finds(q)]).toEqual([q, true]);
    }
    for (const q of ['alpha OR delta', 'delta OR alpha', 'alpha NOT delta', 'alpha AND beta', 'NEAR(alpha beta)']) {
      expect([q, await finds(q)]).toEqual([q, false]);
    }
    for (const q of ['words:alpha', 'search alpha', 'alpha:D', 'delta | alpha', "x'':* | 'alpha", 'x" OR "alpha']) {
      expect([q, await finds(q)]).toEqual([q, false]);
    }
    expect(await finds("'); drop table search; --")).toBe(false);
    expect(await finds('\0alpha\ud800beta\udc00')).toBe(true);
  });

  it('looks at 32 words of a query', async () => {
    const words = Array.from({ length: 31 }, (_, i) => `w${i}`).join(' ');
    const { finds } = await write(words);
    expect(await finds(`${words} missing`)).toBe(true);
    expect(await finds(`missing ${words}`)).toBe(false);
    expect(await finds('日'.repeat(200))).toBe(false);
  });

  it('cuts long words the same in texts and queries', async () => {
    const { finds } = await write(`${'x'.repeat(5000)} ${'é'.repeat(5000)}`);
    expect(await finds('x'.repeat(64))).toBe(true);
    expect(await finds(`${'x'.repeat(200)} ${'É'.repeat(100)}`)).toBe(true);
    expect(await finds(`${'x'.repeat(63)}y`)).toBe(false);
  });

  it('finds a title, and after a change only the new one', async () => {
    const { conversation, own, finds } = await write('message');
    await indexTitle(db(), conversation, `First title ${own}`);
    expect(await finds('first title')).toBe(true);
    await indexTitle(db(), conversation, `Second ${own}`);
    expect([await finds('first'), await finds('title'), await finds('second')]).toEqual([false, false, true]);
    await indexTitle(db(), conversation, '…');
    expect([await finds('second'), await finds('message')]).toEqual([false, true]);
    await indexTitle(db(), conversation, `Third ${own}`);
    expect(await finds('third')).toBe(true);
  });

  it('replaces an entry that is there already', async () => {
    const { conversation, own, finds } = await write('one', 'two');
    await indexEntries(db(), conversation, [{ seq: 2, text: `three ${own}` }]);
    expect([await finds('one'), await finds('two'), await finds('three')]).toEqual([true, false, true]);
  });

  it('leaves out what has no words', async () => {
    const conversation = newConversation();
    await indexEntries(db(), conversation, []);
    await indexEntries(db(), conversation, [{ seq: 1, text: '' }]);
    await indexEntries(db(), conversation, [
      { seq: 2, text: ' …' },
      { seq: 3, text: `own${conversation}x` },
      { seq: 4, text: '\0\ud800' },
    ]);
    expect(await find(`own${conversation}x`)).toEqual([conversation]);
    expect(await entriesOf(conversation)).toEqual([3]);
  });

  it('removes the entries of a range, and no others', async () => {
    const { conversation, own, finds } = await write('one', 'two', 'three', 'four');
    await indexTitle(db(), conversation, `title ${own}`);
    await unindexEntries(db(), conversation, 2, 3);
    expect([await finds('one'), await finds('two'), await finds('three'), await finds('four')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(await entriesOf(conversation)).toEqual([0, 1, 4]);
    await unindexEntries(db(), conversation, 5, 4);
    expect(await entriesOf(conversation)).toEqual([0, 1, 4]);
    await unindexEntries(db(), conversation, 1, Number.POSITIVE_INFINITY);
    expect(await entriesOf(conversation)).toEqual([0]);
    await unindexEntries(db(), conversation, 0, Number.POSITIVE_INFINITY);
    expect([await entriesOf(conversation), await find(own)]).toEqual([[], []]);
    await indexEntries(db(), conversation, [{ seq: 2, text: `again ${own}` }]);
    expect([await finds('again'), await finds('two')]).toEqual([true, false]);
  });

  it.each([1, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 38])(
    'keeps conversation %i apart from its neighbours',
    async (offset) => {
      const conversation = offset + newConversation();
      const own = `own${conversation}x`;
      const all = [conversation - 1, conversation, conversation + 1];
      const entries = [0, 1, LAST_SEQ - 1, LAST_SEQ].map((seq) => ({ seq, text: `${own} at${seq}` }));
      for (const each of all) await indexEntries(db(), each, entries);
      expect(await find(own)).toEqual(all);
      await unindexEntries(db(), conversation, 0, 0);
      expect(await find(`${own} at0`)).toEqual([conversation - 1, conversation + 1]);
      await unindexEntries(db(), conversation, LAST_SEQ, LAST_SEQ);
      expect(await find(`${own} at${LAST_SEQ}`)).toEqual([conversation - 1, conversation + 1]);
      expect(await find(own)).toEqual(all);
      await unindexEntries(db(), conversation, 0, Number.MAX_SAFE_INTEGER);
      expect(await find(own)).toEqual([conversation - 1, conversation + 1]);
      expect(await entriesOf(conversation + 1)).toEqual([0, 1, LAST_SEQ - 1, LAST_SEQ]);
      await indexEntries(db(), conversation, [{ seq: LAST_SEQ + 1, text: `${own} beyond` }]);
      expect(await find(`${own} beyond`)).toEqual([]);
    },
  );

  it.each<[string, (i: number) => string]>([
    ['words', (i) => `${i.toString(36)} `],
    ['long words', (i) => `${i.toString(36).padStart(64, 'x')} `],
    ['Chinese', (i) => String.fromCodePoint(0x4e00 + (i % 0x5000))],
    ['astral Chinese', (i) => String.fromCodePoint(0x20000 + (i % 0xa000))],
    ['Korean', (i) => `${String.fromCodePoint(0xac00 + (i % 11172), 0xac00 + (Math.floor(i / 11172) % 11172))} `],
    ['Arabic that stands for whole phrases', (i) => `${i.toString(36)}\ufdfa`],
  ])('takes 100,000 characters of %s', async (_, wordAt) => {
    const conversation = newConversation();
    const own = `own${conversation}x`;
    const text = `${own} ${Array.from({ length: 100_000 }, (_, i) => wordAt(i)).join('')}`.slice(0, MAX_INDEXED_CHARS);
    await indexEntries(db(), conversation, [{ seq: 1, text }]);
    expect(await find(own)).toEqual([conversation]);
    expect(await find(`${own} ${wordAt(0)}`)).toEqual([conversation]);
    await unindexEntries(db(), conversation, 0, 1);
    expect(await find(own)).toEqual([]);
  });

  it('reads only the first 100,000 characters', async () => {
    const conversation = newConversation();
    const own = `own${conversation}x `;
    const text = own.padEnd(MAX_INDEXED_CHARS - 4, '.');
    await indexEntries(db(), conversation, [{ seq: 1, text: `${text}last beyond` }]);
    expect([await find(`${own} last`), await find(`${own} beyond`)]).toEqual([[conversation], []]);
  });

  it('serves as the list of a query on conversations', async () => {
    const owner = newOwner();
    const create = async (id: string) => {
      const { rows } = await sql<{ number: number }>`insert into conversations
        (id, owner, title, title_by, preset_id, metadata, created_at, updated_at)
        values (${`${owner}${id}`}, ${owner}, '', 'nobody', '', '{}', '', '') returning number`.execute(db());
      return rows[0]!;
    };
    const [first, second, other] = [await create('a'), await create('b'), await create('c')];
    const word = owner.replaceAll('-', '');
    const entries = [1, 2].map((seq) => ({ seq, text: word }));
    for (const each of [first, second]) await indexEntries(db(), each.number, entries);
    await indexEntries(db(), other.number, [{ seq: 1, text: 'other' }]);
    const found = matching(db(), word)!;
    const query = db().selectFrom('conversations').select('number').where('owner', '=', owner).orderBy('number');
    expect(await query.where(sql<boolean>`number in (${found})`).execute()).toEqual([first, second]);
    expect(await query.where(sql<boolean>`number not in (${found})`).execute()).toEqual([other]);
  });

  it('is part of its transaction', async () => {
    const { conversation, own, finds } = await write('before');
    const failed = db()
      .transaction()
      .execute(async (transaction) => {
        await unindexEntries(transaction, conversation, 0, 1);
        await indexEntries(transaction, conversation, [{ seq: 2, text: `after ${own}` }]);
        throw new Error('out of luck');
      });
    await expect(failed).rejects.toThrow('out of luck');
    expect([await finds('before'), await finds('after')]).toEqual([true, false]);
  });

  async function entriesOf(conversation: number): Promise<number[]> {
    const entry = sql.ref(isPostgres(db()) ? 'entry' : 'rowid');
    const { rows } = await sql<{ seq: number }>`
      select ${entry} & 16777215 as seq from search where ${entry} >> 24 = ${conversation} order by 1`.execute(db());
    return rows.map((row) => row.seq);
  }
}
