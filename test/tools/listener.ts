import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Listens on loopback, on a socket file of a folder, and on an abstract socket, and counts who comes. */
export async function listenOn(folder: string): Promise<{ port: number; path: string; heard: () => number }> {
  let connections = 0;
  const path = join(folder, 'socket');
  const open = async (where: { port: number; host: string } | { path: string }): Promise<Server> => {
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(where, resolve));
    onTestFinished(() => void server.close());
    return server;
  };
  const tcp = await open({ port: 0, host: '127.0.0.1' });
  await open({ path });
  await open({ path: `\0profclaw-${folder}` });
  return { port: (tcp.address() as AddressInfo).port, path, heard: () => connections };
}
