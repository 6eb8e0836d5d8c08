import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './report.ts';
import type { RunClient } from './run-client.ts';
import { startAsking, WRITES } from './run-templates.ts';

/** How long something took, milliseconds. */
export interface Spread {
  p50: number;
  p99: number;
}

/** What the server was asked one after the other, with nothing else running. */
export interface Latencies {
  /** From the request to the first event of the run. */
  start: Spread;
  /** From the approval to the first thing that the tool does: a file in the workspace. */
  approve: Spread;
  /** From the cancel to the run's last event. */
  cancel: Spread;
  /** `GET /health` in between: the least that a request takes. */
  health: Spread;
}

/** The same with two nodes: what is started on one is watched, approved and cancelled on the other. */
export interface TwoNodeLatencies extends Latencies {
  /** From an event's arrival at a watcher of the node that works to that of the same event on the other one. */
  behind: Spread;
  /** From the cancel to the last event at a watcher of the node that works. */
  cancelAtWorker: Spread;
}

const WARM_UP = 5;
/** What follows an answer (the log, say) is done by then. */
const REST_MS = 5;
const STALLS = '/say Here I am\n/stall';
const WATCHED_RUNS = 5;

/** The p50 and p99 of some times. */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  return { p50: median(sorted), p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN };
}

/** Each so many times, in turn. */
export async function timeLatencies(client: RunClient, workspace: string, rounds: number): Promise<Latencies> {
  const { start, approve, cancel, health } = await inTurns(rounds, {
    start: () => timeStart(client),
    approve: () => timeApproval(client, client, workspace),
    cancel: async () => (await timeCancel(client, client)).atActor,
    health: () => timeHealth(client),
  });
  return { start, approve, cancel, health };
}

/** The same with two nodes of one database; `worker` starts, `other` watches and acts. */
export async function timeTwoNodes(
  worker: RunClient,
  other: RunClient,
  workspace: string,
  rounds: number,
): Promise<TwoNodeLatencies> {
  const atWorker: number[] = [];
  const { start, approve, cancel, health } = await inTurns(rounds, {
    start: () => timeStart(worker),
    approve: () => timeApproval(worker, other, workspace),
    cancel: async () => {
      const times = await timeCancel(worker, other);
      atWorker.push(times.atWorker);
      return times.atActor;
    },
    health: () => timeHealth(other),
  });
  const behind: number[] = [];
  for (let i = 0; i < WATCHED_RUNS; i++) behind.push(...(await timeBehind(worker, other, rounds / WATCHED_RUNS)));
  const cancelAtWorker = spreadOf(atWorker.slice(WARM_UP));
  return { start, approve, cancel, health, behind: spreadOf(behind), cancelAtWorker };
}

async function inTurns<Name extends string>(
  rounds: number,
  works: Record<Name, () => Promise<number>>,
): Promise<Record<Name, Spread>> {
  const all = Object.entries<() => Promise<number>>(works).map(([name, once]) => ({
    name,
    once,
    times: [] as number[],
  }));
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const { once, times } of all) {
      const took = await once();
      if (round >= 0) times.push(took);
      await sleep(REST_MS);
    }
  }
  const spreads = all.map(({ name, times }) => [name, spreadOf(times)] as const);
  return Object.fromEntries(spreads) as Record<Name, Spread>;
}

async function timeHealth(client: RunClient): Promise<number> {
  const began = performance.now();
  await client.health();
  return performance.now() - began;
}

async function timeStart(client: RunClient): Promise<number> {
  const conversation = await client.newConversation();
  await sleep(REST_MS);
  const began = performance.now();
  const events = await client.start(conversation, { content: '/say Done', model: 'demo' });
  const first = await events.next();
  await events.until('complete');
  return (first?.at ?? Number.NaN) - began;
}

async function timeApproval(worker: RunClient, other: RunClient, workspace: string): Promise<number> {
  const { conversation, events: started, approval, run, last } = await startAsking(worker, WRITES);
  await started.close();
  const events = await other.watch(run, last);
  await sleep(REST_MS);
  const working = new Promise<number>((resolve) => {
    const watcher = watch(workspace, () => {
      watcher.close();
      resolve(performance.now());
    });
  });
  const began = performance.now();
  const allowed = other.allow(conversation, approval);
  const result = await events.until('tool:result');
  await Promise.all([allowed, events.until('complete')]);
  if (result.data.status !== 'success') throw new Error(`the call came to ${JSON.stringify(result.data)}`);
  return (await working) - began;
}

async function timeCancel(worker: RunClient, other: RunClient): Promise<{ atActor: number; atWorker: number }> {
  const started = await worker.start(await worker.newConversation(), { content: STALLS, model: 'demo' });
  const run = String((await started.until('session:start')).data.sessionId);
  const { id } = await started.until('content');
  const events = worker === other ? started : await other.watch(run, id);
  await sleep(REST_MS);
  const began = performance.now();
  const cancelled = other.cancel(run);
  const [here, there] = await Promise.all([
    events.until('error'),
    started === events ? undefined : started.until('error'),
  ]);
  await cancelled;
  return { atActor: here.at - began, atWorker: (there ?? here).at - began };
}

/** By how much the events of a stream come later to a watcher of the other node. */
async function timeBehind(worker: RunClient, other: RunClient, count: number): Promise<number[]> {
  const content = `/say ${'word '.repeat(2 * count)}\n/stream ${count} 50`;
  const started = await worker.start(await worker.newConversation(), { content, model: 'demo' });
  const { data, id } = await started.until('session:start');
  const events = await other.watch(String(data.sessionId), id);
  const [here, there] = await Promise.all([started.rest(), events.rest()]);
  const arrivals = new Map(here.map((event) => [event.id, event.at]));
  const times = there.flatMap(({ type, id: same, at }) => {
    const arrival = arrivals.get(same);
    return type === 'content' && arrival !== undefined ? [at - arrival] : [];
  });
  if (times.length < count / 2) throw new Error(`${times.length} of ${count} events came to both nodes' watchers`);
  return times;
}
