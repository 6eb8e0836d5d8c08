import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

/**
 * What the server is compared with: node:http in front, undici behind, bytes passed through in both directions and
 * nothing read of them. A gateway on this platform cannot do less.
 */
const pool = new Pool(new URL(process.argv[2] ?? '').origin);

const server = createServer((request, response) => {
  const headers = {
    'content-type': request.headers['content-type'] ?? 'application/json',
    'content-length': request.headers['content-length'] ?? '0',
    authorization: 'Bearer x',
  };
  pool.dispatch(
    { path: request.url ?? '/', method: 'POST', headers, body: request, headersTimeout: 0, bodyTimeout: 0 },
    new PipeHandler(response),
  );
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
// The runner holds the other end: when it is gone, so is this process.
process.stdin.on('close', () => process.exit(0)).resume();

class PipeHandler implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const response = this.#response;
    const out: OutgoingHttpHeaders = {};
    for (const name of ['content-type', 'content-length'] as const) {
      if (headers[name] !== undefined) out[name] = headers[name];
    }
    response.writeHead(status, out);
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
