import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 that nothing listens on. Below those that the system gives out itself, to servers on port 0 and
 * to clients, so that none of them takes it before the one that it is for.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
