import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../src/storage/database.ts';
import { askPreload } from './preload-report.ts';
import { cpuMs, type Running } from './processes.ts';
import { RunClient } from './run-client.ts';
import { copy, copyJobs } from './run-copies.ts';
import { type DatabaseKind, newPlace, type Place, startNode } from './run-place.ts';
import { makeTemplates } from './run-templates.ts';
import { residentMb } from './run-waves.ts';

/** A server that nobody asks anything. */
export interface Idle {
  /** Processor time in percent of one core, all threads. */
  percent: number;
  timers: number;
  rssMb: number;
}

/** The same server with runs that wait for people, and without. */
export interface Standstill {
  name: DatabaseKind['name'];
  waiting: Idle;
  without: Idle;
  /** Milliseconds from an approval of one of them to the result of its call. */
  approve: number;
}

/** What follows a start is over by then. */
const SETTLE_MS = 3000;

/**
 * Has servers with and without waiting approvals stand still for `ms`, those of all databases at the same time, so that
 * the machine's moods are the same for all.
 */
export async function timeStandstill(
  kinds: readonly DatabaseKind[],
  upstream: Running,
  { count, ms }: { count: number; ms: number },
): Promise<Standstill[]> {
  const servers: Subject[] = [];
  for (const kind of kinds) {
    for (const size of [count, 0]) servers.push(await subject(kind, upstream, size));
  }
  await sleep(SETTLE_MS);
  const before = servers.map(({ server }) => ({ cpu: cpuMs(server.pid), at: performance.now() }));
  await sleep(ms);
  const idle = servers.map(({ server }, index) => {
    const { cpu, at } = before[index] ?? { cpu: Number.NaN, at: Number.NaN };
    return (100 * (cpuMs(server.pid) - cpu)) / (performance.now() - at);
  });
  const seen = await Promise.all(servers.map((one, index) => look(one, idle[index] ?? Number.NaN)));
  const results: Standstill[] = [];
  for (const [index, { name }] of kinds.entries()) {
    const [waiting, without] = [seen[2 * index], seen[2 * index + 1]];
    const [full] = servers.slice(2 * index);
    if (!waiting || !without || !full) throw new Error('a server is missing');
    results.push({ name, waiting, without, approve: await approveOne(full.server, count) });
  }
  for (const { server, place } of servers) {
    await server.stop();
    rmSync(place.home, { recursive: true, force: true });
  }
  return results;
}

/** A server to be looked at. `file`: where it says how many timers it has. */
interface Subject {
  place: Place;
  server: Running;
  file: string;
}

/** A server whose database has so many runs that wait, each with its conversation and the engine's job that is over. */
async function subject(kind: DatabaseKind, upstream: Running, count: number): Promise<Subject> {
  const place = await newPlace(kind);
  if (count > 0) await fill(place, upstream, count);
  const file = join(place.home, 'active-timers.json');
  const environment = { ACTIVE_TIMERS_FILE: file };
  return { place, file, server: await startNode(place, upstream.url, { preload: 'active-timers.ts', environment }) };
}

async function fill(place: Place, upstream: Running, count: number): Promise<void> {
  const { waiting } = await makeTemplates(place, upstream);
  const { db, close } = await openDatabase(place.options);
  await copyJobs(db, place, waiting, await copy(db, waiting, count - 1));
  await close();
}

async function look({ server, file }: Subject, percent: number): Promise<Idle> {
  return { percent, timers: await askPreload<number>(server.pid, file), rssMb: residentMb(server.pid) };
}

async function approveOne(server: Running, count: number): Promise<number> {
  const client = new RunClient(server.url);
  const { approvals } = await client.json<{ approvals: { id: string; runId: string; conversationId: string }[] }>(
    'GET',
    '/api/chat/approvals?status=pending&limit=20',
  );
  const approval = approvals[count > approvals.length ? approvals.length - 1 : 0];
  if (!approval) throw new Error('nothing waits for an approval');
  const events = await client.watch(approval.runId, 0);
  await events.until('waiting');
  await sleep(100);
  const began = performance.now();
  const allowed = client.allow(approval.conversationId, approval.id);
  const { at } = await events.until('tool:result');
  await Promise.all([allowed, events.until('complete')]);
  await client.close();
  return at - began;
}
