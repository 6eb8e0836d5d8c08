import { rmSync } from 'node:fs';
import type { Running } from './processes.ts';
import { RunClient, type RunEvents } from './run-client.ts';
import { anotherHome, type DatabaseKind, newPlace, type Place, PROVIDER, startNode } from './run-place.ts';

/** Long enough that no stream ends before its server does. */
const DELTAS = 1200;
/** So many pieces are seen before the server is killed. */
const SEEN = 5;
const RUN = { content: 'Go on', model: `${PROVIDER}/stream-${DELTAS}`, tools: [] };

/**
 * Kills a server with SIGKILL in the middle of a run's stream, again and again: on SQLite it is started once more at
 * once, on PostgreSQL there is another node.
 * @returns milliseconds from each kill to the first event of whoever took the run up, at a watcher.
 */
export async function timeResumes(kind: DatabaseKind, upstream: Running, times: number): Promise<number[]> {
  const place = await newPlace(kind);
  const took = kind.name === 'SQLite' ? await alone(place, upstream, times) : await beside(place, upstream, times);
  rmSync(place.home, { recursive: true, force: true });
  return took;
}

async function alone(place: Place, upstream: Running, times: number): Promise<number[]> {
  const took: number[] = [];
  let server = await startNode(place, upstream.url);
  for (let i = 0; i < times; i++) {
    const before = new RunClient(server.url);
    const { run, seen } = await inTheMiddle(await before.start(await before.newConversation(), RUN));
    const killedAt = await kill(server);
    await before.close();
    server = await startNode(place, upstream.url);
    const client = new RunClient(server.url);
    took.push((await firstOfNext(await client.watch(run, seen))) - killedAt);
    await client.cancel(run);
    await client.close();
  }
  await server.stop();
  return took;
}

async function beside(place: Place, upstream: Running, times: number): Promise<number[]> {
  const took: number[] = [];
  const other = await startNode(anotherHome(place), upstream.url);
  const client = new RunClient(other.url);
  for (let i = 0; i < times; i++) {
    const server = await startNode(place, upstream.url);
    const before = new RunClient(server.url);
    const { run, seen } = await inTheMiddle(await before.start(await before.newConversation(), RUN));
    const events = await client.watch(run, seen);
    const killedAt = await kill(server);
    await before.close();
    took.push((await firstOfNext(events)) - killedAt);
    await client.cancel(run);
    await events.rest();
  }
  await client.close();
  await other.stop();
  return took;
}

async function inTheMiddle(events: RunEvents): Promise<{ run: string; seen: number }> {
  const { data } = await events.until('session:start');
  let seen = 0;
  for (let i = 0; i < SEEN; i++) seen = (await events.until('content')).id;
  return { run: String(data.sessionId), seen };
}

/** What the killed one had stored may still arrive; the next one begins its step anew, and says so. */
async function firstOfNext(events: RunEvents): Promise<number> {
  const { at, data } = await events.until('attempt:reset');
  if (data.reason !== 'interrupted') throw new Error(`the step began anew because of ${JSON.stringify(data)}`);
  await events.until('content');
  return at;
}

/** @returns when. */
async function kill(server: Running): Promise<number> {
  const at = performance.now();
  process.kill(server.pid, 'SIGKILL');
  await server.stop();
  return at;
}
