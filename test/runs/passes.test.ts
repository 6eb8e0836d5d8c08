import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { answerApproval } from '../../src/agent/answer-approval.ts';
import type { AgentContext, RunServices } from '../../src/agent/context.ts';
import { carryOn } from '../../src/agent/pass.ts';
import { startRun } from '../../src/agent/start-run.ts';
import { loadConfig } from '../../src/config.ts';
import { beginConversation } from '../../src/conversations/create.ts';
import { newId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { openServices } from '../../src/open-services.ts';
import { approvalsOf } from '../../src/storage/approvals.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { readEvents } from '../../src/storage/run-events.ts';
import { getRun, type RunRow } from '../../src/storage/runs.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { defineTool } from '../../src/tools/tool.ts';

// Passes one by one, carried out by hand, with a database that fails at a chosen point.

const owner = 'local';
const done: string[] = [];
const write = defineTool({
  name: 'write',
  description: 'Writes',
  level: 'moderate',
  effect: 'unsafe',
  isForSandbox: false,
  input: z.strictObject({ text: z.string() }),
  run: ({ text }) => {
    done.push(text);
    return Promise.resolve({ text: 'written', isError: false });
  },
});

let home: string;
let database: Database;
let runs: RunServices;
let context: AgentContext;
let close: () => Promise<void>;

beforeEach(async () => {
  done.length = 0;
  home = mkdtempSync(join(tmpdir(), 'profclaw-passes-'));
  const workspace = join(home, 'workspace');
  mkdirSync(workspace);
  const config = loadConfig({
    PROFCLAW_HOME: home,
    PROFCLAW_WORKSPACE: workspace,
    OLLAMA_BASE_URL: 'http://127.0.0.1:9',
  });
  database = await openDatabase({ file: join(home, 'profclaw.db') });
  const log = pino({ level: 'silent' });
  const opened = await openServices({
    config,
    database,
    secretKey: Buffer.alloc(32),
    log,
    version: 'test',
    tools: [write],
  });
  close = opened.close;
  // Nothing is carried out but what a test says.
  const engine = { enqueue: () => Promise.resolve('pending' as const), start: () => {}, stop: () => Promise.resolve() };
  runs = { ...opened.services.runs, engine };
  context = { ...runs, owner, budget: undefined, newId, runs, actor: 'somebody', budgets: [] };
});

afterEach(async () => {
  await close();
  await database.close();
  rmSync(home, { recursive: true });
});

async function begin(content: string): Promise<RunRow> {
  const { id } = await beginConversation(context, {});
  const input = { begin: { content }, kind: 'agent', model: 'demo', securityMode: 'ask' } as const;
  const more = { limits: { maxSteps: 9, closes: false }, showThinking: true, onCrash: 'resume' } as const;
  return await startRun(context, id, { ...input, ...more }, new AbortController().signal);
}

async function look(id: string): Promise<RunRow> {
  const row = await getRun(database.db, owner, id);
  return row!;
}

function pass({ id, pass: number }: RunRow, db: Kysely<Schema> = database.db): Promise<void> {
  return carryOn({ ...runs, db }, { owner, run: id, pass: number });
}

/** The database, but for one thing that it does in its own way. */
function other(changes: Partial<Kysely<Schema>>): Kysely<Schema> {
  return new Proxy(database.db, {
    get: (target, name) => {
      const value = Reflect.get(name in changes ? changes : target, name) as unknown;
      return typeof value === 'function' && !(name in changes) ? value.bind(target) : value;
    },
  });
}

/** A database that cannot be asked for what is in a table. */
function without(table: string): Kysely<Schema> {
  const selectFrom = (from: never) => {
    if (from === table) throw new Error('the connection is gone');
    return database.db.selectFrom(from);
  };
  return other({ selectFrom: selectFrom as never });
}

it('what the database refuses ends no run: the job is tried again', async () => {
  const run = await begin('/say Hello');
  await expect(pass(run, without('steering'))).rejects.toThrow('the connection is gone');
  expect(await look(run.id)).toMatchObject({ status: 'running', error: null });
  await pass(run);
  expect(await look(run.id)).toMatchObject({ status: 'completed', attempts: 2 });
});

it('but not for ever, if it gets no further', async () => {
  const run = await begin('/say Hello');
  // The first time it has got as far as an answer.
  for (let i = 0; i < 5; i++) await expect(pass(run, without('steering'))).rejects.toThrow();
  await pass(run, without('steering'));
  expect(JSON.parse((await look(run.id)).error!)).toMatchObject({ code: 'internal' });
});

it('a run in whose step its processes die again and again is given up', async () => {
  const run = await begin('/say Hello');
  await database.db.updateTable('runs').set({ tries: 20 }).execute();
  await pass(run);
  expect(JSON.parse((await look(run.id)).error!)).toMatchObject({ code: 'INTERRUPTED' });
});

it('a late job of an older pass takes the run from nobody', async () => {
  const run = await begin('/tool write {"text": "x"}');
  await pass(run);
  const [approval] = await approvalsOf(database.db, owner, run.id);
  const { id: approvalId, conversation_id: conversationId } = approval!;
  await answerApproval(context, { conversationId, approvalId, decision: 'allow-once', scope: 'conversation' });
  const before = await look(run.id);
  expect(before).toMatchObject({ status: 'queued', pass: 2 });
  await pass(run);
  expect(await look(run.id)).toMatchObject({ status: 'queued', fence: before.fence });
  await pass(before);
  expect((await look(run.id)).status).toBe('completed');
});

it('a commit whose answer got lost is not done twice', async () => {
  const run = await begin('/say Hello\n/tool write {"text": "x"}');
  let lost = 0;
  const transaction = () => {
    const builder = database.db.transaction();
    const execute: typeof builder.execute = async (work) => {
      const value = await builder.execute(work);
      // The first that says what was said, and every other one.
      if (lost++ % 2 === 0) throw new Error('the answer got lost');
      return value;
    };
    return { execute } as typeof builder;
  };
  const db = other({ transaction });
  for (let row = await look(run.id); row.status !== 'waiting_approval'; row = await look(run.id))
    await carryOn({ ...runs, db }, { owner, run: row.id, pass: row.pass }).catch(() => {});
  const events = await readEvents(database.db, owner, run.id, { after: 0, limit: 1000 });
  const said = events.slice(events.findLastIndex(({ type }) => type === 'attempt:reset') + 1);
  const texts = said.filter(({ type }) => type === 'content').map(({ data }) => (JSON.parse(data) as JsonObject).text);
  expect(texts.join('')).toBe('Hello');
  expect(said.filter(({ type }) => type === 'waiting')).toHaveLength(1);
  expect(said.filter(({ type }) => type === 'tool:call')).toHaveLength(1);
});

it('what a person has changed is done after a crash too, and was asked about', async () => {
  const run = await begin('/tool write {"text": "model"}');
  await pass(run);
  const answer = async (more: object): Promise<void> => {
    const { id: approvalId, conversation_id: conversationId } = (await approvalsOf(database.db, owner, run.id)).at(-1)!;
    await answerApproval(context, {
      conversationId,
      approvalId,
      decision: 'allow-once',
      scope: 'conversation',
      ...more,
    });
  };
  await answer({ editedArguments: { text: 'person' } });
  // The process that carries it out dies.
  await database.db.updateTable('tool_calls').set({ status: 'running' }).execute();
  await pass(await look(run.id));
  const asked = (await approvalsOf(database.db, owner, run.id)).at(-1)!;
  expect(JSON.parse(asked.arguments)).toEqual({ text: 'person' });
  expect(done).toEqual([]);
  await answer({});
  await pass(await look(run.id));
  expect(done).toEqual(['person']);
  const { result } = await database.db.selectFrom('tool_calls').select('result').executeTakeFirstOrThrow();
  expect(JSON.parse(result!)).toBe(
    'A person has changed the arguments of this call to {"text":"person"}. Its result:\nwritten',
  );
});
