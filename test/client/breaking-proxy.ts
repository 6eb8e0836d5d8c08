import { type AddressInfo, connect, createServer } from 'node:net';

/** Stands before a server, and breaks connections. */
export interface BreakingProxy {
  url: string;
  /** After how many bytes of its answer each connection is broken, one after the other; none left: not at all. */
  cuts: number[];
  /** The first line of each request on a new connection. */
  requests: string[];
  stop(): void;
}

/** Starts one. @param target the address of the server, asked for at each connection */
export async function startBreakingProxy(target: () => string): Promise<BreakingProxy> {
  const cuts: number[] = [];
  const requests: string[] = [];
  const server = createServer((socket) => {
    const left = cuts.shift() ?? Number.POSITIVE_INFINITY;
    const upstream = connect(Number(new URL(target()).port), '127.0.0.1');
    let sent = 0;
    socket.once('data', (bytes) => requests.push(bytes.toString().split('\r\n')[0] ?? ''));
    socket.pipe(upstream);
    upstream.on('data', (bytes) => {
      const piece = bytes.subarray(0, left - sent);
      sent += piece.length;
      socket.write(piece);
      if (sent >= left) upstream.destroy();
    });
    upstream.on('close', () => socket.destroySoon());
    socket.on('close', () => upstream.destroy());
    for (const end of [socket, upstream]) end.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, cuts, requests, stop: () => server.close() };
}
