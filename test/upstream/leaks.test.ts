import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  CHUNKED_HEAD,
  chunk,
  delta,
  FINISH,
  good,
  head,
  reply,
  type Script,
  STREAM_HEAD,
  sse,
} from './bad-upstream.ts';
import { type Rig, startRig, until } from './rig.ts';

/** With the usual time-outs: a timer that outlives its call is seen. */
let rig: Rig;
/** With short ones, for an upstream that is silent. */
let hasty: Rig;

beforeAll(async () => {
  rig = await startRig();
  hasty = await startRig({ PROFCLAW_FIRST_BYTE_TIMEOUT: '0.3', PROFCLAW_IDLE_TIMEOUT: '0.2' });
});

afterAll(async () => {
  await rig.stop();
  await hasty.stop();
});

const SILENT: readonly Script[] = [
  () => {},
  ({ socket }) => socket.write(CHUNKED_HEAD),
  ({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta('half'))),
  ({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta('t')) + chunk(sse({ error: { message: 'M' } }))),
];

const KINDS: readonly Script[] = [
  ({ socket }) => socket.resetAndDestroy(),
  ({ socket }) => socket.end(reply(200, 'x'.repeat(1000)).subarray(0, 500)),
  ({ socket }) => socket.end(STREAM_HEAD + delta('half')),
  ({ socket }) => socket.write(reply(200, '<html>nothing</html>')),
  ({ socket }) => socket.write(reply(500, { error: { message: 'M' } }, 'retry-after-ms: 5')),
  ({ socket }) => socket.write(reply(400, { error: { message: 'M' } })),
  ({ socket }) => socket.write(reply(302, '', 'location: /')),
  ({ socket }) => socket.write(head(204)),
  ({ socket }) => socket.write('nonsense\r\n\r\n'),
  ({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta('x'.repeat(100_000))) + chunk(FINISH) + chunk('')),
  (seen) => good(seen),
];

const gc = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
})();

interface Inventory {
  files: number;
  timers: number;
  sockets: number;
  heap: number;
}

async function inventory(): Promise<Inventory> {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const resources = process.getActiveResourcesInfo();
  return {
    files: readdirSync('/proc/self/fd').length,
    timers: resources.filter((name) => name === 'Timeout').length,
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    heap: process.memoryUsage().heapUsed,
  };
}

/** Many calls of all kinds, whole and streamed; every seventh caller leaves early, every eleventh reads nothing. */
async function storm(calls: number): Promise<void> {
  const kinds = [
    ...SILENT.map((script) => ({ rig: hasty, ...hasty.upstream.script(script) })),
    ...KINDS.map((script) => ({ rig, ...rig.upstream.script(script) })),
  ];
  const agent = new Agent({ maxSockets: 50 });
  await Promise.all(Array.from({ length: calls }, (_, n) => call(agent, kinds[n % kinds.length]!, n % 2 === 0, n)));
  agent.destroy();
  for (const kind of kinds) kind.seen.length = 0;
  // Connections that are kept for the next call are no leak; the upstream is the one to close them here.
  for (const { upstream } of [rig, hasty]) {
    upstream.dropConnections();
    await until('all connections are gone', () => upstream.openSockets() === 0);
  }
}

function call(agent: Agent, kind: { rig: Rig; model: string }, stream: boolean, n: number): Promise<void> {
  return new Promise((resolve) => {
    const body = JSON.stringify({
      model: `openai/${kind.model}`,
      messages: [{ role: 'user', content: 'hello' }],
      stream,
    });
    const sent = request(`${kind.rig.server.url}/api/chat/completions`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    sent.on('response', (response) => {
      if (n % 11 === 0) sent.destroy();
      else response.on('error', () => {}).resume();
    });
    sent.on('error', () => {});
    sent.on('close', () => resolve());
    sent.end(body);
    if (n % 7 === 0) sent.on('socket', () => setTimeout(() => sent.destroy(), 20 + (n % 50)));
  });
}

it('a thousand calls of all bad kinds leave nothing behind', async () => {
  await storm(150);
  await storm(150);
  const before = await inventory();
  await storm(1000);
  let after = await inventory();
  // What closes does so a moment later.
  for (let i = 0; i < 100 && !isBack(before, after); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    after = await inventory();
  }
  expect(after, JSON.stringify({ before, after })).toSatisfy(() => isBack(before, after));
});

function isBack(before: Inventory, after: Inventory): boolean {
  return (
    after.files <= before.files + 3 &&
    after.timers <= before.timers + 3 &&
    after.sockets <= before.sockets + 3 &&
    after.heap < before.heap + 4 * 1024 * 1024
  );
}
