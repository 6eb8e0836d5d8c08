import type { Kysely } from 'kysely';
import type { Schema } from '../../src/storage/schema.ts';
import type { Json } from '../server.ts';
import type { Statement } from './matrix-server.ts';

/** The tables whose rows belong to somebody; search entries have no owner, what they lead to has. */
export async function ownedTables(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables();
  return tables.filter(({ columns }) => columns.some(({ name }) => name === 'owner')).map(({ name }) => name);
}

/** Does a statement have to do with rows of somebody? */
export function isOfOwned({ sql }: Statement, owned: readonly string[]): boolean {
  return among(sql, owned).length > 0;
}

/** Does a statement read or change rows of somebody without saying whose they are? */
export function isOwnerless({ sql }: Statement, owned: readonly string[]): boolean {
  const [, columns = ''] = /^\s*insert into "?\w+"? \(([^)]*)\)/i.exec(sql) ?? [];
  // What is set says nothing of what it is set in.
  const where = sql.search(/\bwhere\b/i);
  const conditions = where === -1 ? '' : sql.slice(where);
  const named = [...conditions.matchAll(/\bowner"?(?: \|\| '')? = (?:\$\d+|\?|given\.owner)/gi)].length;
  return named + (/\bowner\b/.test(columns) ? 1 : 0) < among(sql, owned).length;
}

/** Whose rows are in parameters that are rows as JSON. */
export function ownersIn(parameters: readonly unknown[]): string[] {
  const rows = parameters.flatMap((value) =>
    typeof value === 'string' && value.startsWith('[{"run":') ? (JSON.parse(value) as { owner: string }[]) : [],
  );
  return [...new Set(rows.map(({ owner }) => owner))];
}

/** The tables of a statement that are among these, each as often as it is named. */
function among(sql: string, tables: readonly string[]): string[] {
  const named = [...sql.matchAll(/\b(?:from|join|into|update)\s+"?(\w+)"?/gi)].map((match) => match[1] ?? '');
  return named.filter((table) => tables.includes(table));
}

/** Statements that need not say whose rows they are about, and why. */
export const EXCEPTIONS: readonly [why: string, ...statements: RegExp[]][] = [
  [
    'whoever comes with a credential is not known yet: its hash, which nobody can guess, says whose it is',
    /^select s\.id, .* where s\.hash = \?$/,
    /^select k\.id, .* where k\.hash = \?$/,
    /^delete from sessions where hash = \? returning id, owner, account$/,
    /^delete from invites where hash = \? and expires_at > \? and .* owner in \(select owner from accounts/,
  ],
  [
    'an account is found by whoever logs in, and by admins, who manage all of them',
    /^select \* from accounts where (email|id) = \?$/,
    /^select id from accounts limit \?$/,
    /^select id from accounts where id = \? and password_hash = \? and status = \?$/,
    /^select \* from accounts where status != \? order by created_at, id limit \? offset \?$/,
    /^update accounts set .* where id = \? and status != \? returning \*$/,
  ],
  [
    'admins share invites',
    /^select \* from invites where expires_at > \? order by id desc$/,
    /^delete from invites where id = \?$/,
  ],
  [
    'settings are the server’s; their owner is who set them last',
    /^select value from server_settings where key = \?$/,
    /^select type, owner, sealed from provider_settings order by type$/,
    /^delete from provider_settings where type = \?$/,
    /^select name, owner, sealed from mcp_servers order by name$/,
    /^update mcp_servers set owner = \?, sealed = \?, updated_at = \? where name = \?$/,
    /^delete from mcp_servers where name = \?$/,
  ],
  ['admins read the log of everybody', /^select (seq|\*) from audit_log where seq < \? order by seq desc limit \?/],
  ['what nobody owns is removed by its number', /^select owner from orphans where conversation = \?$/],
  [
    'a process keeps what it has under way, whoever it is for',
    /^update turns set expires_at = .* where node = \? and id /,
    /^update idempotency_keys set expires_at = .* where node in \(\?\) and status is null/,
    /^update budget_holds set expires_at = .* where node = \? and /,
  ],
  [
    'a node looks how far the logs have grown that it writes or shows, whoever they are for',
    /^select id, last_seq, fence from runs where id /,
  ],
  [
    'the sweep clears up after everybody',
    /^select owner, id, pass from runs where status in \('queued', 'running'\) and updated_at < \? order by updated_at limit \?$/,
    /^select owner, id from runs where fold_at is not null and fold_at < .* order by fold_at limit \?$/,
    /^select owner, id from approvals where status = \? and expires_at < .* order by expires_at limit \?$/,
    /^select owner, conversation, id, first_seq from turns where expires_at < /,
    /^update orphans set expires_at = .* where expires_at < .* returning conversation$/,
    /^select distinct owner, subject from budget_holds where expires_at < /,
    /^delete from idempotency_keys where \(owner, route, key\) in \(select owner, route, key from idempotency_keys where expires_at <= /,
    /^delete from (sessions|invites) where expires_at <= \?$/,
    /^select id, owner, updated_at from accounts where status = \?$/,
  ],
];

/** A statement as one line, without locks, which only one of the databases has. */
export function plain({ sql }: Statement): string {
  const line = sql.replaceAll(/\$\d+/g, '?').replaceAll(/\s+/g, ' ').replaceAll('"', '').trim();
  return line.replace(/ for (update|share)$/, '');
}

/** The rows of every table that has an owner, by table. */
export type Rows = ReadonlyMap<string, readonly Json[]>;

/** Reads all of them. */
export async function allRows(db: Kysely<Schema>): Promise<Rows> {
  const all = new Map<string, Json[]>();
  for (const table of await ownedTables(db)) {
    all.set(
      table,
      await db
        .selectFrom(table as 'tasks')
        .selectAll()
        .execute(),
    );
  }
  return all;
}

/** Columns that say when a credential was last used, which is noted beside the request. */
const TIMES_OF_USE = ['last_used_at', 'last_seen_at', 'expires_at'];

/** The rows of one owner as text, in an order of their own. */
export function rowsOf(rows: Rows, owner: string): string[] {
  const isUse = (table: string, name: string) =>
    ['sessions', 'api_keys'].includes(table) && TIMES_OF_USE.includes(name);
  return [...rows]
    .flatMap(([table, all]) =>
      all
        .filter((row) => row.owner === owner)
        .map((row) => `${table} ${JSON.stringify(row, (name, value) => (isUse(table, name) ? undefined : value))}`),
    )
    .toSorted();
}

/** The ids of everything that an owner has, the owner's own among them. */
export function idsOf(rows: Rows, owner: string): string[] {
  const ids = [...rows].flatMap(([, all]) => all.filter((row) => row.owner === owner).map(({ id }) => id));
  return ids.filter((id) => typeof id === 'string');
}
