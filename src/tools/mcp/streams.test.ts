import { expect, it } from 'vitest';
import { boundBytes, boundEvents } from './bounded-stream.ts';
import { FloodGuard } from './flood-guard.ts';
import { LineReader } from './line-reader.ts';

async function passed(bound: TransformStream<Uint8Array, Uint8Array>, pieces: readonly string[]): Promise<string> {
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  return await new Response(source.pipeThrough(bound)).text();
}

it.for(['\n', '\r', '\r\n'])('events are bounded each for itself, whatever ends their lines: %j', async (end) => {
  const event = `data: ${'x'.repeat(10)}${end}data: y${end}${end}`;
  const all = event.repeat(100);
  expect(await passed(boundEvents(40), [all])).toBe(all);
  expect(await passed(boundEvents(40), [...all])).toBe(all);
  const long = `data: x${end}`.repeat(10);
  await expect(passed(boundEvents(40), [long])).rejects.toThrow('an event of over 40 bytes');
  await expect(passed(boundEvents(40), [...long])).rejects.toThrow('an event of over 40 bytes');
});

it('answers are bounded as a whole', async () => {
  expect(await passed(boundBytes(10), ['12345', '67890'])).toBe('1234567890');
  await expect(passed(boundBytes(10), ['12345', '678901'])).rejects.toThrow('an answer of over 10 bytes');
});

it('lines are cut out of bytes however these come', () => {
  const bytes = Buffer.from('one\r\n\nzwölf\nrest');
  const expected = ['one', '', 'zwölf'];
  expect(new LineReader(10).add(bytes)).toEqual(expected);
  const reader = new LineReader(10);
  expect([...bytes].flatMap((byte) => reader.add(Buffer.from([byte])))).toEqual(expected);
  expect(() => reader.add(Buffer.from('and more'))).toThrow('a line of over 10 bytes');
});

it('a flood is one that does not fit the bucket', () => {
  const guard = new FloodGuard(3, 0.001);
  expect([1, 2, 3, 4].map(() => guard.count())).toEqual([false, false, false, true]);
});
