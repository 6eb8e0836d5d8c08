import { connect } from 'node:net';
import { expect, type Mock, vi } from 'vitest';
import { HttpClient } from '../../src/providers/transport/client.ts';
import type { Json, TestServer } from '../server.ts';

/** What `call` gives. */
interface Answered {
  status: number;
  body: Json;
  headers: Headers;
}

/** Is this an error in the one envelope, with the header's request id and nothing of the server's inside? */
export function expectError(answer: Answered, status: number, code: string, words?: string | RegExp): void {
  expect({ status: answer.status, code: answer.body?.code, error: answer.body?.error }).toMatchObject({ status, code });
  expect(Object.keys(answer.body)).toEqual(expect.arrayContaining(['error', 'code', 'requestId']));
  expect(Object.keys(answer.body).filter((key) => !['error', 'code', 'requestId', 'details'].includes(key))).toEqual(
    [],
  );
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  expect(answer.body.error).toBeTypeOf('string');
  expect(answer.body.error).not.toBe('');
  expect(JSON.stringify(answer.body)).not.toMatch(/\.ts:\d|node_modules| at \w+ \(|node:internal/);
  if (words !== undefined) expect(answer.body.error).toMatch(words);
}

/** The paths of the issues of a 400. */
export function issuePaths(answer: Answered): string[] {
  expectError(answer, 400, 'invalid_request');
  for (const issue of answer.body.details.issues) {
    expect(issue).toEqual({ path: expect.stringMatching(/./), message: expect.stringMatching(/./) });
  }
  return answer.body.details.issues.map((issue: Json) => issue.path);
}

/** Options for `call` that send JSON by another method than POST. */
export function method(name: string, body?: unknown): RequestInit {
  return body === undefined
    ? { method: name }
    : { method: name, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** A single user message, as a body. */
export function says(content: unknown, more: object = {}): object {
  return { messages: [{ role: 'user', content }], ...more };
}

/** Writes bytes to the server's socket as they are and gives back everything it says until it closes. */
export function raw(server: TestServer, text: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    let out = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const done = (): void => {
      socket.destroy();
      resolve(out);
    };
    socket.on('data', (chunk) => {
      out += chunk.toString('latin1');
    });
    socket.on('close', done);
    socket.on('error', (error) => (out === '' ? reject(error) : done()));
  });
}

/**
 * From now on, until `mockRestore`, no provider answers the questions that are not chat calls, for its models and their
 * facts, and nobody gives up waiting: who waits never comes back.
 */
export function neverAnswered(): Mock<HttpClient['send']> {
  return vi.spyOn(HttpClient.prototype, 'send').mockImplementation(() => new Promise(() => {}));
}

/** The head and body of the first answer in what `raw` gave. */
export function parseRaw(text: string): { status: number; headers: Headers; body: string } {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = new Headers(fields.map((field) => field.split(/:\s*/, 2) as [string, string]));
  return { status: Number(line.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}
