import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../providers/chat-model.ts';
import { Relay } from './relay.ts';

const words = (text: string): ProviderEvent[] => [{ type: 'text', text }];

async function read(relay: Relay): Promise<ProviderEvent[][]> {
  const all: ProviderEvent[][] = [];
  for await (const events of relay) all.push(events);
  return all;
}

describe('a relay', () => {
  it('passes on in order what came before and after its reader', async () => {
    const relay = new Relay();
    relay.push(words('a'));
    relay.push(words('b'));
    const all = read(relay);
    relay.push(words('c'));
    await Promise.resolve();
    relay.push(words('d'));
    relay.end();
    expect(await all).toEqual(['a', 'b', 'c', 'd'].map(words));
  });

  it('gives everything to a reader who comes after the end', async () => {
    const relay = new Relay();
    relay.push(words('a'));
    relay.end();
    expect(await read(relay)).toEqual([words('a')]);
  });

  it('passes each on as it comes', async () => {
    const relay = new Relay();
    const reader = relay[Symbol.asyncIterator]();
    for (const text of ['a', 'b', 'c']) {
      const next = reader.next();
      relay.push(words(text));
      expect(await next).toEqual({ done: false, value: words(text) });
    }
    const end = reader.next();
    relay.end();
    expect(await end).toEqual({ done: true, value: undefined });
  });

  it('ends for a reader who waits', async () => {
    const relay = new Relay();
    const all = read(relay);
    await Promise.resolve();
    relay.end();
    expect(await all).toEqual([]);
  });

  it('does not lose what comes while its reader is busy', async () => {
    const relay = new Relay();
    const all: ProviderEvent[][] = [];
    relay.push(words('a'));
    for await (const events of relay) {
      all.push(events);
      if (all.length === 1) {
        relay.push(words('b'));
        relay.push(words('c'));
      } else relay.end();
    }
    expect(all).toEqual(['a', 'b', 'c'].map(words));
  });

  it('holds nothing any more when its reader has left', async () => {
    const relay = new Relay();
    relay.push(words('a'));
    for await (const _ of relay) break;
    relay.push(words('b'));
    relay.end();
    // Whoever came now would get nothing of it.
    expect(await read(relay)).toEqual([]);
  });
});
