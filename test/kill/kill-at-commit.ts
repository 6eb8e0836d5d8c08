// Loaded before the program (`--import`): ends it with SIGKILL exactly before or after one of its commits. Which one is
// in the file KILL_ORDER names, counted from when the file was written; without the file nothing happens. A commit is
// a COMMIT, or a statement that writes outside a transaction.
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

interface Order {
  when: 'before' | 'after';
  point: number;
}

const FILE = process.env.KILL_ORDER ?? '';

/** Takes the transactions away from SQLite, so that every statement is a commit: what the tests must then notice. */
const HAS_TRANSACTIONS = process.env.KILL_WITHOUT_TRANSACTIONS !== 'true';

/** What goes on by itself every few seconds is no part of what is counted. */
const HOUSEKEEPING = /^(?:update "(?:turns|idempotency_keys)" set "expires_at"|delete from "idempotency_keys")/;

let current = '';
let passed = 0;

function due(): Order['when'] | undefined {
  const text = readOrder();
  if (text !== current) passed = 0;
  current = text;
  if (text === '') return undefined;
  const { when, point } = JSON.parse(text) as Order;
  return ++passed === point ? when : undefined;
}

function readOrder(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function isCommit(statement: string, isInTransaction: boolean): boolean {
  if (isInTransaction) return statement === 'commit';
  return (
    /^(?:insert|replace|update|delete|create|alter|drop)\b/.test(statement.trimStart()) && !HOUSEKEEPING.test(statement)
  );
}

/** Does `work`, and ends the process before or after it if it is the commit that is meant. */
function at<T>(isPoint: boolean, work: () => T): T {
  const when = isPoint ? due() : undefined;
  if (when === 'before') die();
  const result = work();
  if (when !== 'after') return result;
  if (!(result instanceof Promise)) die();
  return (result as Promise<unknown>).then(die) as T;
}

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (text) {
  const isFrame = /^(?:begin|commit)/.test(text);
  const statement = prepare.call(this, isFrame && !HAS_TRANSACTIONS ? 'select 1 where false' : text);
  for (const name of ['run', 'all'] as const) {
    const original = statement[name].bind(statement) as (...parameters: unknown[]) => never;
    statement[name] = (...parameters: unknown[]) =>
      at(isCommit(text, this.isTransaction), () => original(...parameters));
  }
  return statement;
};

if (process.env.DATABASE_URL !== undefined) {
  const { Client } = (await import('pg')).default;
  const inTransaction = new WeakSet<object>();
  const query = Client.prototype.query as (...given: unknown[]) => unknown;
  const watched = function (this: object, ...given: unknown[]): unknown {
    const [text] = given;
    if (typeof text !== 'string') return query.apply(this, given);
    const isPoint = isCommit(text, inTransaction.has(this));
    if (/^(?:begin|start transaction)/.test(text)) inTransaction.add(this);
    if (/^(?:commit|rollback)/.test(text)) inTransaction.delete(this);
    return at(isPoint, () => query.apply(this, given));
  };
  Object.defineProperty(Client.prototype, 'query', { value: watched });
}
