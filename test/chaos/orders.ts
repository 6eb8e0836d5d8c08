import { DatabaseSync } from 'node:sqlite';

/**
 * An order to a node: to die exactly before or after one of its commits, to lose the answer to one (PostgreSQL only),
 * or to die in one of its tools, after the effect.
 */
export interface Order {
  at: 'commit' | 'tool';
  when: 'before' | 'after' | 'lost';
  /** A regular expression: only commits of transactions with such a statement count, or tools of such a name. */
  of: string;
  /** The how-manieth. */
  count: number;
}

let order: Order | undefined;

/** What counts from now on; undefined: nothing happens. */
export function obey(next: Order | undefined): void {
  order = next;
}

/** Kills the process if it is its time. Called by a tool after its effect. */
export function passTool(name: string): void {
  if (due('tool', name) !== undefined) die();
}

function due(at: Order['at'], what: string): Order['when'] | undefined {
  if (order?.at !== at || !new RegExp(order.of).test(what)) return undefined;
  order = { ...order, count: order.count - 1 };
  if (order.count > 0) return undefined;
  const { when } = order;
  order = undefined;
  return when;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** What was said on each connection since its transaction began. */
const said = new WeakMap<object, string>();

/** Notes a statement. @returns all of its transaction, if it is what commits it. */
function committed(connection: object, statement: string): string | undefined {
  if (/^(?:begin|start transaction)/.test(statement)) said.set(connection, ' ');
  else if (statement === 'rollback') said.delete(connection);
  else if (statement === 'commit') {
    const all = said.get(connection);
    said.delete(connection);
    return all;
  } else {
    const before = said.get(connection);
    if (before !== undefined) said.set(connection, `${before}${statement}\n`);
    else if (/^\s*(?:insert|update|delete)\b/.test(statement)) return statement;
  }
  return undefined;
}

/** Watches the statements of SQLite. */
function watchSqlite(): void {
  const prepare = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (text) {
    const statement = prepare.call(this, text);
    for (const name of ['run', 'all'] as const) {
      const original = statement[name].bind(statement) as (...parameters: unknown[]) => never;
      statement[name] = (...parameters: unknown[]) => {
        const all = committed(this, text);
        const when = all === undefined ? undefined : due('commit', all);
        if (when === 'before') die();
        const result = original(...parameters);
        // Nothing can get lost between a process and a file.
        if (when !== undefined) die();
        return result;
      };
    }
    return statement;
  };
}

/** Watches the statements of PostgreSQL. */
async function watchPostgres(): Promise<void> {
  const { Client } = (await import('pg')).default;
  const query = Client.prototype.query as (...given: unknown[]) => Promise<unknown>;
  const watched = function (this: InstanceType<typeof Client>, ...given: unknown[]): unknown {
    const [text] = given;
    const all = typeof text === 'string' ? committed(this, text) : undefined;
    const when = all === undefined ? undefined : due('commit', all);
    if (when === undefined) return query.apply(this, given);
    if (when === 'before') die();
    return query.apply(this, given).then(() => {
      if (when === 'after') die();
      this.connection.stream.destroy();
      throw new Error('the connection was lost while the commit was under way');
    });
  };
  Object.defineProperty(Client.prototype, 'query', { value: watched });
}

if (process.env.DATABASE_URL === undefined) watchSqlite();
else await watchPostgres();
