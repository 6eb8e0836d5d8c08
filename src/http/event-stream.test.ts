import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { EventStream, ResumableStream, sseEvent, writeStream } from './event-stream.ts';

it.each([
  ['is ended', undefined, { yielded: 2, ended: true }],
  ['is read on to its end if the stream outlives the caller', { outlivesCaller: true }, { yielded: 1000, ended: true }],
])('the source of a stream whose caller has left %s', async (_, options, expected) => {
  const source = { yielded: 0, ended: false };
  const left = Promise.withResolvers<void>();
  async function* chunks(): AsyncGenerator<string> {
    try {
      for (let i = 0; i < 1000; i++) {
        source.yielded++;
        yield sseEvent(i);
        await left.promise;
      }
    } finally {
      source.ended = true;
    }
  }
  const written = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    response.on('close', () => left.resolve());
    writeStream(response, new EventStream(chunks(), options), {}).then(written.resolve, written.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, (response) => {
    response.once('data', () => request.destroy());
    response.on('error', () => {});
  });
  request.on('error', () => {});
  await written.promise;
  expect(source).toEqual(expected);
  server.close();
});

it('a reader of a stream that can be taken up again is cut off when it reads nothing, and is told', async () => {
  const source = { ended: false };
  async function* chunks(): AsyncGenerator<string> {
    try {
      for (;;) yield await Promise.resolve(sseEvent('x'.repeat(100_000)));
    } finally {
      source.ended = true;
    }
  }
  const written = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    writeStream(response, new ResumableStream(chunks(), 100), {}).then(written.resolve, written.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ended = Promise.withResolvers<string>();
  get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, (response) => {
    let last = '';
    response.pause();
    // What was on its way is still there when it reads again.
    void written.promise.then(() => response.resume());
    response.on('data', (chunk: Buffer) => {
      last = (last + chunk.toString()).slice(-200);
    });
    response.on('end', () => ended.resolve(last));
  });
  await written.promise;
  expect(source.ended).toBe(true);
  expect(await ended.promise).toContain(': cut off');
  server.close();
});
