import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { EventStream, sseEvent, writeStream } from './event-stream.ts';

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
