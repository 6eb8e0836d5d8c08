import { describe, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import { type CompactionInput, compact, isTooLong, type LiveMessage, memoryTokens, summarised } from './compact.ts';
import { textTokens } from './estimate.ts';

const NEW = { coveredSeq: 0, shortenedSeq: 0, summary: null };

/** A message; `results` are the tokens of its tools' results. */
function message(seq: number, role: LiveMessage['role'], tokens: number, ...results: number[]): LiveMessage {
  return { seq, role, tokens, toolCalls: results.map((own) => ({ tokens: own })) };
}

/** Turns of two messages each. */
function turns(count: number, tokens: number): LiveMessage[] {
  return Array.from({ length: 2 * count }, (_, index) => message(index + 1, index % 2 ? 'assistant' : 'user', tokens));
}

/** What a summariser was asked. */
interface Asked {
  seqs: number[];
  before: string | null;
  maxTokens: number;
}

function input(
  live: LiveMessage[],
  more: Partial<Omit<CompactionInput<LiveMessage>, 'summarise'>> & { answer?: string } = {},
): CompactionInput<LiveMessage> & { asked: Asked[] } {
  const { answer, ...rest } = more;
  const asked: Asked[] = [];
  return {
    memory: NEW,
    live,
    unread: { count: 0, tokens: 0 },
    overhead: 100,
    pinned: 0,
    ratio: 1,
    window: 10_000,
    summarise: (rows, before, maxTokens) => {
      asked.push({ seqs: rows.map(({ seq }) => seq), before, maxTokens });
      return Promise.resolve(answer);
    },
    ...rest,
    asked,
  };
}

describe('the limit', () => {
  it('is 80 % of the window', () => {
    expect(isTooLong(8000, 10_000)).toBe(false);
    expect(isTooLong(8001, 10_000)).toBe(true);
  });
});

describe('the tokens of what is sent', () => {
  it('are those of messages, calls and results, long ones only up to where they are shortened', () => {
    const live = [message(1, 'user', 10), message(2, 'assistant', 20, 100, 3000), message(3, 'assistant', 5, 3000)];
    expect(memoryTokens(NEW, live)).toBe(10 + 20 + 104 + 3004 + 5 + 3004);
    expect(memoryTokens({ ...NEW, shortenedSeq: 2 }, live)).toBe(10 + 20 + 104 + 504 + 5 + 3004);
  });

  it('have those of the summary and the words around it, or of the words alone', () => {
    expect(memoryTokens({ coveredSeq: 3, shortenedSeq: 0, summary: 'x'.repeat(400) }, [])).toBe(130);
    expect(memoryTokens({ coveredSeq: 3, shortenedSeq: 0, summary: null }, [])).toBe(30);
  });
});

describe('compact', () => {
  it('summarises the older turns and keeps as many whole ones as make half of the window with the rest', async () => {
    const one = input(turns(10, 500), { answer: ' They agreed. ' });
    const result = await compact(one);
    // 5000 − 100 overhead − 1000 for the summary − 30 around it: seven messages, and so three turns.
    expect(one.asked).toEqual([{ seqs: Array.from({ length: 14 }, (_, i) => i + 1), before: null, maxTokens: 1000 }]);
    expect(result).toEqual({
      memory: { coveredSeq: 14, shortenedSeq: 0, summary: 'They agreed.' },
      originalCount: 20,
      compactedCount: 7,
      tokensBefore: 10_100,
      tokensAfter: 100 + 30 + 3 + 3000,
    });
  });

  it('counts in the provider’s tokens', async () => {
    const one = input(turns(10, 250), { ratio: 2, answer: 'They agreed.' });
    const { memory, tokensBefore } = await compact(one);
    expect(tokensBefore).toBe(2 * 5100);
    // 2500 − 100 − 500 − 30 of ours.
    expect(memory.coveredSeq).toBe(14);
    expect(one.asked[0]?.maxTokens).toBe(500);
  });

  it('lets a summary have half of what it replaces, and asks for none that would be too short', async () => {
    const pair = [message(1, 'user', 90), message(2, 'assistant', 90)];
    const tail = [message(3, 'user', 10), message(4, 'assistant', 1300)];
    const one = input([...pair, ...tail], { window: 3000, overhead: 1000, answer: 'Yes.' });
    await summarised(one, 1310);
    expect(one.asked[0]).toMatchObject({ seqs: [1, 2], maxTokens: 90 });
    const less = input([message(1, 'user', 49), message(2, 'assistant', 50), ...tail], {
      window: 3000,
      answer: 'Yes.',
    });
    expect(await summarised(less, 1310)).toBeUndefined();
    expect(less.asked).toEqual([]);
  });

  it('takes a summary of just the length, and none that is longer or empty', async () => {
    for (const [answer, summary] of [
      ['x'.repeat(4000), 'x'.repeat(4000)],
      [`${'x'.repeat(4000)}y`, null],
      ['  \n', null],
      [undefined, null],
    ] as const) {
      const { memory } = await compact(input(turns(10, 500), answer === undefined ? {} : { answer }));
      expect(memory.summary).toBe(summary);
    }
  });

  it('hands on the summary that was there, and covers more', async () => {
    const memory = { coveredSeq: 40, shortenedSeq: 0, summary: 'So far.' };
    const live = turns(10, 500).map((one) => ({ ...one, seq: one.seq + 40 }));
    const one = input(live, { memory, answer: 'All of it.' });
    expect(await compact(one)).toMatchObject({
      memory: { coveredSeq: 54, summary: 'All of it.' },
      originalCount: 21,
      compactedCount: 7,
    });
    expect(one.asked[0]?.before).toBe('So far.');
  });

  it('shortens tool results if there is no summary, and drops nothing if that is enough', async () => {
    const live = [...turns(2, 100), message(5, 'user', 10), message(6, 'assistant', 10, 9000, 20)];
    const { memory, compactedCount, tokensAfter } = await compact(input(live));
    expect(memory).toEqual({ coveredSeq: 0, shortenedSeq: 6, summary: null });
    expect(compactedCount).toBe(6);
    expect(tokensAfter).toBe(100 + 400 + 10 + 10 + 504 + 24);
  });

  it('rather shortens the last turn than cover it with the rest', async () => {
    const live = [...turns(20, 300), message(41, 'user', 10), message(42, 'assistant', 10, 9000)];
    const one = input(live, { answer: 'They agreed.' });
    const { memory } = await compact(one);
    expect(memory).toMatchObject({ shortenedSeq: 42, summary: 'They agreed.' });
    expect(memory.coveredSeq).toBeLessThan(40);
    expect(one.asked).toHaveLength(1);
  });

  it('then drops the oldest turns, whole ones, down to half of the window', async () => {
    const { memory, tokensAfter } = await compact(input(turns(10, 500)));
    expect(memory).toEqual({ coveredSeq: 12, shortenedSeq: 20, summary: null });
    expect(tokensAfter).toBe(100 + 30 + 4000);
  });

  it('drops the beginning of a turn that is too long as a whole', async () => {
    const live = [message(1, 'user', 10), ...Array.from({ length: 30 }, (_, i) => message(i + 2, 'assistant', 400, 0))];
    const { memory, compactedCount } = await compact(input(live));
    expect(memory.coveredSeq).toBe(31 - compactedCount);
    expect(compactedCount).toBe(12);
  });

  it('leaves out what was not even read', async () => {
    const live = turns(2, 100).map((one) => ({ ...one, seq: one.seq + 900 }));
    const { memory, originalCount, tokensBefore } = await compact(
      input(live, { unread: { count: 900, tokens: 90_000 } }),
    );
    expect(memory).toEqual({ coveredSeq: 900, shortenedSeq: 0, summary: null });
    expect([originalCount, tokensBefore]).toEqual([904, 90_500]);
  });

  it('keeps the message whose results are to be answered, however long the rest is', async () => {
    const live = [message(1, 'user', 10), message(2, 'assistant', 3000, 9000)];
    for (const answer of ['They agreed.', undefined]) {
      const { memory } = await compact(input(live, { pinned: 1, ...(answer === undefined ? {} : { answer }) }));
      expect(memory.coveredSeq).toBeLessThan(2);
      expect(memory.shortenedSeq).toBe(2);
    }
    await expect(compact(input(live, { pinned: 1, window: 3500 }))).rejects.toThrow(AppError);
    await expect(compact(input(live, { pinned: 0, window: 3500 }))).resolves.toMatchObject({ compactedCount: 0 });
  });

  it('says that there is no room before a summary is paid for', async () => {
    const one = input(turns(10, 500), { overhead: 9971, answer: 'They agreed.' });
    await expect(compact(one)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message: expect.stringContaining('about 10001 tokens'),
      details: { tokens: 10_001, window: 10_000 },
    });
    expect(one.asked).toEqual([]);
    await expect(compact(input(turns(10, 500), { overhead: 9970 }))).resolves.toMatchObject({ tokensAfter: 10_000 });
  });

  it('leaves everything as it is if nothing would be gained', async () => {
    const memory = { coveredSeq: 4, shortenedSeq: 3, summary: null };
    const empty = input([], { memory, overhead: 9000 });
    expect((await compact(empty)).memory).toBe(memory);
    const small = input([message(1, 'user', 8)], { overhead: 9000 });
    expect(await compact(small)).toMatchObject({ memory: NEW, tokensBefore: 9008, tokensAfter: 9008 });
  });

  describe('with a summary that was made for a larger window', () => {
    const memory = { coveredSeq: 9, shortenedSeq: 0, summary: 'x'.repeat(8000) };
    const live = [message(10, 'user', 100), message(11, 'assistant', 100)];

    it('makes it shorter and keeps the messages', async () => {
      const one = input(live, { memory, window: 2500, answer: 'Short.' });
      expect((await compact(one)).memory).toEqual({ ...memory, summary: 'Short.' });
      expect(one.asked).toEqual([{ seqs: [], before: memory.summary, maxTokens: 250 }]);
      expect(textTokens(memory.summary)).toBe(2000);
    });

    it('leaves it out if there is no room for it', async () => {
      const { memory: next } = await compact(input(live, { memory, window: 1500 }));
      expect(next.summary).toBeNull();
    });
  });
});
