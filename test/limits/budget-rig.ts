import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import pino from 'pino';
import { type CompletionInput, finishCompletion, startCompletion } from '../../src/chat/complete.ts';
import { loadConfig } from '../../src/config.ts';
import { newId } from '../../src/core/ids.ts';
import { AppError } from '../../src/errors.ts';
import { Budgets, type BudgetsOptions } from '../../src/limits/budget.ts';
import { ProviderRegistry } from '../../src/providers/registry.ts';
import { HttpClient } from '../../src/providers/transport/client.ts';
import { type BudgetInput, type BudgetView, getBudget, setBudget } from '../../src/storage/budgets.ts';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/storage/database.ts';
import { databaseNow } from '../../src/storage/dialect.ts';

export const OWNER = 'local';
export const NEVER = new AbortController().signal;
export const log = pino({ level: 'silent' });

/** A folder that is gone after the tests. */
export function tempFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'profclaw-budget-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A database and what the tests look at in it. */
export interface Store {
  db: Database['db'];
  /** A new subject with this budget. */
  subject(budget: BudgetInput, kind?: 'key' | 'usr'): Promise<string>;
  set(subject: string, budget: BudgetInput | null): Promise<void>;
  view(subject: string): Promise<BudgetView | undefined>;
  /** The counters of a budget beside the sums of its holds. */
  counters(subject: string): Promise<{ reserved: number[]; held: number[] }>;
  /** The leases of all holds of a budget end so many milliseconds from now. */
  setExpiry(subject: string, ms: number): Promise<void>;
  /** Lets what was used have been so in a period that begins then. */
  setStart(subject: string, start: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a database, or opens it once more. */
export async function openStore(place: DatabaseOptions): Promise<Store> {
  const { db, close } = await openDatabase(place);
  const set = (subject: string, budget: BudgetInput | null) =>
    db.transaction().execute((tx) => setBudget(tx, OWNER, subject, budget));
  return {
    db,
    set,
    subject: async (budget, kind = 'key') => {
      const subject = newId(kind);
      await set(subject, budget);
      return subject;
    },
    view: (subject) => getBudget(db, OWNER, subject),
    counters: async (subject) => {
      const row = await db.selectFrom('budgets').selectAll().where('subject', '=', subject).executeTakeFirstOrThrow();
      const all = await db.selectFrom('budget_holds').selectAll().where('subject', '=', subject).execute();
      const holds = all.filter(({ node }) => node !== '');
      const sum = (field: 'tokens' | 'cost') => all.reduce((total, hold) => total + hold[field], 0);
      return {
        reserved: [row.reserved_tokens, row.reserved_cost, row.holds],
        held: [sum('tokens'), sum('cost'), holds.length],
      };
    },
    setExpiry: async (subject, ms) => {
      const expires_at = sql<number>`${databaseNow(db)} + ${sql.lit(ms)}`;
      await db.updateTable('budget_holds').set({ expires_at }).where('subject', '=', subject).execute();
    },
    setStart: async (subject, period_start) => {
      await db.updateTable('budgets').set({ period_start }).where('subject', '=', subject).execute();
    },
    close,
  };
}

/** What became of a call: `ok`, or the code of its error. */
export type Fate = string;

/** A process's worth of calls against budgets. */
export interface Caller {
  budgets: Budgets;
  providers: ProviderRegistry;
  /** One call, whole or streamed, read to its end. */
  ask(subjects: readonly string[], input: Partial<CompletionInput>, signal?: AbortSignal): Promise<Fate>;
  stop(): Promise<void>;
}

/** @param environment what makes the providers configured. */
export async function startCaller(
  { db }: Store,
  environment: Record<string, string>,
  options: BudgetsOptions = {},
): Promise<Caller> {
  const config = loadConfig({ OLLAMA_BASE_URL: 'http://127.0.0.1:9', PROFCLAW_HOME: '/nonexistent', ...environment });
  const client = new HttpClient(config.timeouts);
  const secretKey = Buffer.alloc(32, 1);
  const providers = await ProviderRegistry.load({ db, secretKey, environment: config.providers, client });
  const budgets = new Budgets(db, log, options);
  return {
    budgets,
    providers,
    ask: async (subjects, input, signal = NEVER) => {
      const context = { db, providers, owner: OWNER, budget: budgets.of(OWNER, subjects) };
      try {
        await finishCompletion(await startCompletion(context, { ...says('Hi'), ...input }, signal));
        return 'ok';
      } catch (error) {
        if (error instanceof AppError) return error.code;
        throw error;
      }
    },
    stop: async () => {
      await budgets.stop();
      await client.close();
    },
  };
}

/** A completion of one user's message. */
export function says(text: string): Pick<CompletionInput, 'messages' | 'stream'> {
  return { messages: [{ role: 'user', parts: [{ type: 'text', text }] }], stream: false };
}

/** How often each of these is there. */
export function tally(all: readonly Fate[]): Record<Fate, number> {
  const counts: Record<Fate, number> = {};
  for (const one of all) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

/** As many at once. */
export async function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}
