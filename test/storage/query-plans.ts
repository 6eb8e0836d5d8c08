import { CompiledQuery, sql, type Transaction } from 'kysely';
import type { Schema } from '../../src/storage/schema.ts';

/** Our tables; whatever else a plan names is a subquery, a function or a list of values. */
const TABLES =
  /^(conversations|conversation_counts|messages|tool_calls|compactions|turns|orphans|idempotency_keys|search|presets|tasks|tickets|ticket_counters|provider_settings|server_settings|accounts|invites|sessions|api_keys|rate_buckets|login_failures|budgets|budget_holds|audit_log|audit_head|runs|run_events|approvals|steering|tool_rules|tool_results)$/;

/** Those of which an owner may have so many rows that they are shown page by page. */
const PAGED = /^(conversations|runs|approvals)$/;

/** Tables that may be read as a whole, and why. */
const ALWAYS_SMALL: Readonly<Record<string, string>> = {
  orphans: 'only conversations that are being deleted or made at this moment, or whose process has died',
  provider_settings: 'one row for each provider, read at the start',
  accounts: 'a team, not a town',
  invites: 'what an admin has made and nobody has used for some days',
};

/**
 * What is wrong with how a database would carry out these statements: one line for each, empty if nothing is.
 * @param isFree whether it is left to the database when an index is worth it.
 */
export async function findings(
  tx: Transaction<Schema>,
  kind: 'sqlite' | 'postgres',
  queries: Iterable<CompiledQuery>,
  isFree = false,
): Promise<string[]> {
  // A table of a few pages is read faster without its index: what is asked is whether there is one.
  if (kind === 'postgres' && !isFree) await sql`set local enable_seqscan = off`.execute(tx);
  const explain = kind === 'sqlite' ? sqliteFindings : postgresFindings;
  const out: string[] = [];
  for (const query of queries) for (const found of await explain(tx, query)) out.push(`${found}: ${query.sql}`);
  return out;
}

/** @see https://sqlite.org/eqp.html */
async function sqliteFindings(tx: Transaction<Schema>, query: CompiledQuery): Promise<string[]> {
  const plan = CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]);
  const { rows } = await tx.executeQuery<{ detail: string }>(plan);
  return rows.flatMap(({ detail }) => {
    if (detail === 'USE TEMP B-TREE FOR ORDER BY') return isSearch(query) || isOfPage(query) ? [] : [detail];
    const [, verb = '', table = '', how = ''] = /^(SCAN|SEARCH) (\w+) ?(.*)$/.exec(detail) ?? [];
    if (!isLarge(table)) return [];
    // Of a virtual table every way is a SCAN; the one numbered 0 without a condition is through all rows.
    const isWhole = verb === 'SCAN' && !/^VIRTUAL TABLE INDEX (?!0:$)/.test(how);
    const [, column = ''] = /\((\w+)=\?\)$/.exec(how) ?? [];
    return isWhole || isTooMuch(query, table, column) ? [detail] : [];
  });
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Recheck Cond'?: string;
  Plans?: PlanNode[];
}

/** @see https://www.postgresql.org/docs/current/using-explain.html */
async function postgresFindings(tx: Transaction<Schema>, query: CompiledQuery): Promise<string[]> {
  const plan = CompiledQuery.raw(`explain (format json) ${query.sql}`, [...query.parameters]);
  const { rows } = await tx.executeQuery<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(plan);
  const nodes = rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => flatten(Plan)));
  return nodes.flatMap((node) => {
    const type = node['Node Type'];
    const table = node['Relation Name'] ?? '';
    if (type === 'Sort') return isSearch(query) || isOfConversation(query) || !sorts(node) ? [] : ['Sort'];
    if (!isLarge(table) || !type.endsWith('Scan')) return [];
    const condition = node['Index Cond'] ?? node['Recheck Cond'];
    // The conversations of nobody, whose owner is '', are those of `orphans`.
    const [, column = ''] = /^\((\w+) = '[^']+'::\w+\)$/.exec(condition ?? '') ?? [];
    const isWhole = condition === undefined && !(table === 'conversations' && isSearch(query));
    const isFound = isWhole || isTooMuch(query, table, column);
    return isFound ? [`${type} on ${table} ${condition ?? 'without a condition'}`] : [];
  });
}

/** @param column the only one that the index is asked for, if there is only one. */
function isTooMuch({ sql: text }: CompiledQuery, table: string, column: string): boolean {
  const isPage = /\blimit\b/.test(text);
  // Everything of an owner, of a conversation, of a run.
  switch (column) {
    case 'owner':
      if (table === 'idempotency_keys') return true;
      return PAGED.test(table) && !isSearch({ sql: text }) && (!isPage || isFiltered(text));
    case 'conversation':
      return (table === 'messages' || table === 'tool_calls') && !isPage && !isRemoval(text);
    case 'run':
      return table === 'run_events' && !isPage && !isRemoval(text);
    default:
      return false;
  }
}

function isRemoval(text: string): boolean {
  return text.startsWith('delete');
}

function isFiltered(text: string): boolean {
  return /\bwhere\b.*\band\b/is.test(text);
}

/** A search has to sort what it finds; of frequent words that is about everything. */
function isSearch({ sql: text }: Pick<CompiledQuery, 'sql'>): boolean {
  return text.includes('from search') || text.includes("owner || ''");
}

/** What is put in order again is a page that was read in order. */
function isOfPage({ sql: text }: CompiledQuery): boolean {
  return / limit \S+\) as "next" where /.test(text);
}

/** Runs of one conversation may be fewer than those of one state: PostgreSQL weighs that up. */
function isOfConversation({ sql: text }: CompiledQuery): boolean {
  return text.includes('"conversation" = (select');
}

function isLarge(table: string): boolean {
  return TABLES.test(table) && !Object.hasOwn(ALWAYS_SMALL, table);
}

function sorts(node: PlanNode): boolean {
  return flatten(node).some((one) => PAGED.test(one['Relation Name'] ?? ''));
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)];
}
