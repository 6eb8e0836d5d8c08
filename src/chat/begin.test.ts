import { describe, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import type { ProviderEvent } from '../providers/chat-model.ts';
import { begin, resume } from './begin.ts';

const usage: ProviderEvent = { type: 'usage', usage: { promptTokens: 1, completionTokens: 0, totalTokens: 1 } };
const source: ProviderEvent = { type: 'source', source: { url: 'https://example.org/' } };
const failure = new AppError('provider_unavailable', 'Gone');
const error: ProviderEvent = { type: 'error', error: failure };

async function* batches(...all: ProviderEvent[][]): AsyncGenerator<ProviderEvent[]> {
  for (const batch of all) yield await Promise.resolve(batch);
}

describe('an answer', () => {
  it.each<ProviderEvent>([usage, source, { type: 'text', text: '' }, { type: 'reasoning', text: '' }])(
    'has not begun with %o: an error after it is thrown',
    async (event) => {
      await expect(begin(batches([event], [error]))).rejects.toBe(failure);
      await expect(begin(batches([event, error]))).rejects.toBe(failure);
    },
  );

  it.each<ProviderEvent>([
    { type: 'text', text: 'x' },
    { type: 'reasoning', text: 'x' },
    { type: 'reasoning', text: '', data: { signature: 's' } },
    { type: 'tool-call', call: { id: '1', name: 'f', arguments: {} } },
    { type: 'finish', reason: 'stop' },
  ])('has begun with %o: an error after it is none of ours', async (event) => {
    expect((await begin(batches([usage, event, error]))).read).toEqual([usage, event, error]);
  });

  it('may be of any length', async () => {
    const many = Array.from({ length: 200_000 }, (): ProviderEvent => ({ type: 'text', text: 'x' }));
    expect((await begin(batches(many))).read).toHaveLength(many.length);
  });

  it('has begun when nothing comes at all', async () => {
    expect(await begin(batches())).toMatchObject({ read: [], isFailure: false });
  });

  it.each([
    ['with nothing said', [], true],
    ['with something said', [{ type: 'text', text: 'x' }], false],
  ] as const)('that ends as an error is a failure %s: %o', async (_when, said, isFailure) => {
    const { isFailure: is } = await begin(batches([...said, { type: 'finish', reason: 'error' }]));
    expect(is).toBe(isFailure);
  });
});

describe('the rest', () => {
  const collect = async (all: ProviderEvent[][]): Promise<{ got: ProviderEvent[]; ends: string[] }> => {
    const ends: string[] = [];
    const events = resume(await begin(batches(...all)), {
      ended: () => void ends.push('ended'),
      failed: ({ code, message }) => {
        ends.push('failed');
        return new AppError(code, `${message}, as told`);
      },
    });
    const got: ProviderEvent[] = [];
    for await (const batch of events) got.push(...batch);
    return { got, ends };
  };

  it('follows what was read, and its end is told once', async () => {
    const all: ProviderEvent[] = [source, { type: 'text', text: 'a' }, { type: 'text', text: 'b' }, usage];
    expect(await collect(all.map((event) => [event]))).toEqual({ got: all, ends: ['ended'] });
  });

  it.each([
    ['in the first batch', 1],
    ['later', 2],
  ])('has the error that the listener gives, %s', async (_when, batchCount) => {
    const text: ProviderEvent = { type: 'text', text: 'a' };
    const { got, ends } = await collect(batchCount === 1 ? [[text, error]] : [[text], [error]]);
    expect(ends).toEqual(['failed']);
    expect(got[0]).toEqual(text);
    expect(got[1]).toMatchObject({ type: 'error', error: { message: 'Gone, as told' } });
    expect(got).toHaveLength(2);
  });
});
