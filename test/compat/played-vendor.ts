import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Vendor } from '../matrix/fake.ts';

/** An answer that has come to its middle, and stays there. */
export interface Held {
  /** When it has come there. */
  begun: Promise<void>;
  /** When its connection has closed, whoever closed it. */
  left: Promise<void>;
  /** Sends the rest. */
  goOn(): void;
}

/** All vendors behind one address, each below its type, as a test plays them. */
export interface PlayedVendor {
  url: string;
  /** How each request for an answer is answered from now on. */
  play(answer: (response: ServerResponse) => void): void;
  /** Answers with these pieces, but stops after so many of them. */
  hold(vendor: Pick<Vendor, 'type'>, pieces: readonly string[], count: number): Held;
  stop(): void;
}

/** Starts on a free port. */
export async function startPlayedVendor(): Promise<PlayedVendor> {
  let answer = (response: ServerResponse): void => void response.destroy();
  const server = createServer((request, response) => {
    request.resume();
    // What is asked beside the chat: lists of models, and what a model can do.
    if (request.method === 'GET') response.end('{"data":[],"models":[]}');
    else if (request.url?.endsWith('/api/show')) response.end('{"capabilities":["completion","thinking"]}');
    else answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const play = (next: typeof answer): void => {
    answer = next;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play,
    hold: ({ type }, pieces, count) => {
      const begun = Promise.withResolvers<ServerResponse>();
      const left = Promise.withResolvers<void>();
      play((response) => {
        response.writeHead(200, { 'content-type': type === 'ollama' ? 'application/x-ndjson' : 'text/event-stream' });
        response.write(pieces.slice(0, count).join(''));
        response.on('close', () => left.resolve());
        begun.resolve(response);
      });
      return {
        begun: begun.promise.then(() => undefined),
        left: left.promise,
        goOn: () => void begun.promise.then((response) => response.end(pieces.slice(count).join(''))),
      };
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
