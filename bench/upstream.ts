import { createServer, type Socket } from 'node:net';
import { WHOLE_BODY } from './answers.ts';
import { WIRES } from './wires.ts';

/**
 * The provider of the bench: whole answers in the form of OpenAI's chat completions, streams of every wire, over raw
 * sockets, out of buffers made at the start, so that it is never what holds the others up. A stream leaves one chunk a write, as providers flush every token, with a turn of the
 * event loop between writes, and no faster than the reader takes them.
 */
const server = createServer({ noDelay: true }, serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
// The runner holds the other end: when it is gone, so is this process.
process.stdin.on('close', () => process.exit(0)).resume();

const HEAD = 'HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n';
const WHOLE = Buffer.from(
  `${HEAD}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(WHOLE_BODY)}\r\n\r\n${WHOLE_BODY}`,
);
const STREAM_HEAD = Buffer.from(
  `${HEAD}content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n`,
);
/** By the path that is asked. */
const PIECES: ReadonlyMap<string, Buffer[]> = new Map(WIRES.map(({ path, chunks }) => [path, pieces(chunks)]));

function pieces(chunks: readonly string[]): Buffer[] {
  const out = chunks.map((text) => Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`));
  out.push(Buffer.from('0\r\n\r\n'));
  return out;
}

function serve(socket: Socket): void {
  let held = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    held += data.toString('latin1');
    const headEnd = held.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(held)?.[1] ?? Number.NaN);
    // A body without a length would be chunked: the callers here never send one, and a wrong guess must not pass.
    if (Number.isNaN(length)) {
      socket.destroy();
      return;
    }
    if (held.length < headEnd + 4 + length) return;
    const path = held.slice(0, held.indexOf(' HTTP/')).replace(/^\w+ /, '');
    const body = held.slice(headEnd + 4, headEnd + 4 + length);
    held = held.slice(headEnd + 4 + length);
    const streamed = PIECES.get(path);
    if (streamed && (/"stream":\s*true/.test(body) || path.includes(':stream'))) stream(socket, streamed);
    else socket.write(WHOLE);
  });
}

function stream(socket: Socket, all: readonly Buffer[]): void {
  socket.write(STREAM_HEAD);
  let at = 0;
  const next = (): void => {
    const piece = all[at++];
    if (piece === undefined || socket.destroyed) return;
    if (socket.write(piece)) setImmediate(next);
    else socket.once('drain', next);
  };
  setImmediate(next);
}
