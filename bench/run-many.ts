import { rmSync } from 'node:fs';
import { sql } from 'kysely';
import { openDatabase } from '../src/storage/database.ts';
import type { Running } from './processes.ts';
import { RunClient, type RunEvents } from './run-client.ts';
import { copy } from './run-copies.ts';
import { type DatabaseKind, newPlace, type Place, startNode } from './run-place.ts';
import { makeTemplates, type Templates } from './run-templates.ts';
import { type Subject, type Timing, takeTurns } from './turn-taking.ts';

/** What both servers are asked. */
export const QUESTIONS = ['a run’s first event', 'GET /runs?limit=20', 'GET /approvals?status=pending'] as const;

/** An answer of the server with few runs and of the one with many. */
export interface Compared {
  few: Timing;
  many: Timing;
}

const PAGE = 20;
const WARM_UP = 20;
/** One finished run in so many had an approval. */
const ASKED_EVERY = 10;

/**
 * Compares a server with a page of finished and of waiting runs with one that has `count` finished ones beside them,
 * folded, each with its conversation.
 */
export async function timeMany(
  kind: DatabaseKind,
  upstream: Running,
  { count, rounds }: { count: number; rounds: number },
): Promise<Record<(typeof QUESTIONS)[number], Compared>> {
  const places = { few: await newPlace(kind), many: await newPlace(kind) };
  const templates = await makeTemplates(places.few, upstream);
  await fill(places.few, templates, PAGE);
  await fill(places.many, templates, count);
  const servers = { few: await startNode(places.few, upstream.url), many: await startNode(places.many, upstream.url) };
  const clients = { few: new RunClient(servers.few.url), many: new RunClient(servers.many.url) };
  const subjects = [
    ...(await subjectsOf('few', clients.few, servers.few.pid, rounds)),
    ...(await subjectsOf('many', clients.many, servers.many.pid, rounds)),
  ];
  const timings = await takeTurns(subjects, rounds, WARM_UP);
  for (const name of ['few', 'many'] as const) {
    await clients[name].close();
    await servers[name].stop();
    rmSync(places[name].home, { recursive: true, force: true });
  }
  const of = (name: string): Timing => timings.get(name) ?? { took: Number.NaN, cpu: Number.NaN };
  const both = (what: string): Compared => ({ few: of(`few ${what}`), many: of(`many ${what}`) });
  return Object.fromEntries(QUESTIONS.map((what) => [what, both(what)])) as Record<
    (typeof QUESTIONS)[number],
    Compared
  >;
}

/** Stores a page of waiting runs and many finished ones, which are newer: whoever looks for the others has to pass them. */
async function fill(place: Place, { plain, asked, waiting }: Templates, count: number): Promise<void> {
  const { db, kind, close } = await openDatabase(place.options);
  const withApproval = Math.floor(count / ASKED_EVERY);
  await copy(db, waiting, PAGE);
  await copy(db, plain, count - withApproval);
  await copy(db, asked, withApproval);
  // As PostgreSQL itself does it some time after so many rows.
  if (kind === 'postgres') await sql`vacuum analyze`.execute(db);
  await close();
}

async function subjectsOf(name: string, client: RunClient, pid: number, rounds: number): Promise<Subject[]> {
  const conversations: string[] = [];
  for (let i = 0; i < WARM_UP + rounds; i++) conversations.push(await client.newConversation());
  let events: RunEvents | undefined;
  const page = async (path: string, list: 'runs' | 'approvals'): Promise<void> => {
    const answer = await client.json<Record<typeof list, unknown[]>>('GET', path);
    if (answer[list].length !== PAGE) throw new Error(`${name} ${path}: ${answer[list].length} instead of ${PAGE}`);
  };
  const [start, runs, approvals] = QUESTIONS;
  return [
    {
      name: `${name} ${start}`,
      pid,
      run: async () => {
        events = await client.start(conversations.pop() ?? '', { content: '/say Done', model: 'demo' });
        await events.next();
      },
      undo: async () => {
        await events?.until('complete');
      },
    },
    { name: `${name} ${runs}`, pid, run: () => page('/api/chat/runs?limit=20', 'runs') },
    { name: `${name} ${approvals}`, pid, run: () => page('/api/chat/approvals?status=pending', 'approvals') },
  ];
}
