import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';

/**
 * What the server is compared with: node:http in front, undici behind, bytes passed through in both directions and
 * nothing read of them. `streams` is the way undici's documentation shows, a request whose body is piped on;
 * `handler` is the least that can be done on this platform: undici's dispatch with a handler written by hand.
 */
const [upstream = '', kind = 'streams'] = process.argv.slice(2);
const pool = new Pool(new URL(upstream).origin);

const server = createServer((request, response) => {
  const headers = {
    'content-type': request.headers['content-type'] ?? 'application/json',
    'content-length': request.headers['content-length'] ?? '0',
    authorization: 'Bearer x',
  };
  const options = {
    path: request.url ?? '/',
    method: 'POST',
    headers,
    body: request,
    headersTimeout: 0,
    bodyTimeout: 0,
  } as const;
  if (kind === 'handler') pool.dispatch(options, new PipeHandler(response));
  else passThrough(pool.request(options), response);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
// The runner holds the other end: when it is gone, so is this process.
process.stdin.on('close', () => process.exit(0)).resume();

function passThrough(answer: Promise<Dispatcher.ResponseData>, response: ServerResponse): void {
  answer
    .then(({ statusCode, headers, body }) => {
      response.writeHead(statusCode, passedOn(headers));
      pipeline(body, response, () => {});
    })
    .catch(() => response.destroy());
}

function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const name of ['content-type', 'content-length'] as const) {
    if (headers[name] !== undefined) out[name] = headers[name];
  }
  return out;
}

class PipeHandler implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const response = this.#response;
    response.writeHead(status, passedOn(headers));
    response.on('drain', () => controller.resume());
    response.on('close', () => {
      if (!response.writableFinished) controller.abort(new Error('the caller left'));
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}
