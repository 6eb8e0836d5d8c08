import type { Schema } from '../schema.ts';

/** How a column's values are kept, whatever either database calls it. */
export type ColumnKind = 'integer' | 'real' | 'text' | 'bytes' | 'boolean';

/** A column of a table. */
export interface Column {
  name: string;
  kind: ColumnKind;
}

/** What is in a column. Integers are exact: those beyond 2^53 are refused by whoever reads. */
export type Value = string | number | boolean | Uint8Array | null;

/** The values of one row, in the order of the columns that were asked for. */
export type Row = readonly Value[];

/** The columns of each table, sorted by name. */
export type Shapes = ReadonlyMap<TableName, readonly Column[]>;

/** The index of words, which the databases keep in their own ways, as a table: an entry's key and its words in a row. */
export const SEARCH = 'search';

export type TableName = keyof Schema | typeof SEARCH;

// The type has a table that is added to the schema added here. One that a later migration drops has to stay, for
// backups from before; so has the order, since it is shown.
const EVERY: Record<TableName, true> = {
  server_settings: true,
  provider_settings: true,
  mcp_servers: true,
  accounts: true,
  invites: true,
  sessions: true,
  api_keys: true,
  rate_buckets: true,
  login_failures: true,
  budgets: true,
  budget_holds: true,
  audit_log: true,
  audit_head: true,
  presets: true,
  tasks: true,
  tickets: true,
  ticket_counters: true,
  conversations: true,
  conversation_counts: true,
  messages: true,
  tool_calls: true,
  tool_results: true,
  compactions: true,
  responses: true,
  turns: true,
  orphans: true,
  idempotency_keys: true,
  runs: true,
  run_events: true,
  approvals: true,
  steering: true,
  tool_rules: true,
  rule_sets: true,
  search: true,
};

/** Every table that is moved. Which migrations were applied is moved by applying the same. */
export const TABLES = Object.keys(EVERY) as readonly TableName[];

/** Where it is written down which migrations were applied, as `migrate` names them. */
export const MIGRATION_TABLES = ['profclaw_migrations', 'profclaw_migrations_lock'] as const;

/** The same columns on both databases. The key is a text because it goes beyond what a number holds exactly. */
export const SEARCH_COLUMNS: readonly Column[] = [
  { name: 'entry', kind: 'text' },
  { name: 'words', kind: 'text' },
];

const KINDS: Readonly<Record<string, ColumnKind>> = {
  integer: 'integer',
  bigint: 'integer',
  'double precision': 'real',
  text: 'text',
  'character varying': 'text',
  boolean: 'boolean',
  bytea: 'bytes',
  blob: 'bytes',
};

/** What a column is by its declared type. @throws Error for a type that nobody has said how to move. */
export function kindOf(table: string, column: string, declared: string): ColumnKind {
  const kind = KINDS[declared.toLowerCase()];
  if (kind === undefined)
    throw new Error(`the column ${table}.${column} is of the type ${declared}, which is not moved`);
  return kind;
}

/** @throws Error if two databases do not have the same tables with the same columns. */
export function requireSameShapes(source: Shapes, target: Shapes): void {
  for (const table of TABLES) {
    const [here, there] = [source, target].map((shapes) => describe(shapes.get(table)));
    if (here === there) continue;
    throw new Error(`the table ${table} is not the same on both sides: ${here ?? 'missing'}; ${there ?? 'missing'}`);
  }
}

function describe(columns: readonly Column[] | undefined): string | undefined {
  return columns?.map(({ name, kind }) => `${name} ${kind}`).join(', ');
}
