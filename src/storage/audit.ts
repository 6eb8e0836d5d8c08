import { type Kysely, sql } from 'kysely';
import { asObject, type JsonObject, tryParseJson } from '../core/json.ts';
import { type AuditRow, hashOf } from './audit-chain.ts';
import { isPostgres } from './dialect.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';

/** The longest that is kept, in UTF-16 units: a stranger's words must not fill the disk. */
const MAX_NAME = 200;
const MAX_TARGET = 500;
const MAX_DETAILS = 4000;

/** How many rows a filter looks through at once: SQLite's work never waits, so all of them would stop everything else. */
const LOOKED_THROUGH = 5000;

/** How it went. `begun` is written before something that cannot be taken back; what became of it follows. */
export const AUDIT_OUTCOMES = ['begun', 'done', 'refused', 'failed'] as const;

export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/**
 * Something that was done or tried. Any text may be given: what is too long is cut and ends with `…`, and what
 * PostgreSQL has no place for (NUL, lone surrogates) becomes U+FFFD on both databases. `details` keep it, being JSON.
 */
export interface AuditEntry {
  /** ISO-8601 UTC; absent: now. */
  at?: string | undefined;
  /** Whose rows the actor works on. */
  owner: string;
  /** An account's id, `local`, `access-key`, `command-line`, or '' for a stranger. */
  actor: string;
  /** The id of a key or session, '' for none. */
  credential: string;
  /** One of `AUDIT_ACTIONS` of audit/actions.ts. */
  action: string;
  /** The id of what it is done to, '' for none. Up to 500 characters; the other texts up to 200. */
  target: string;
  outcome: AuditOutcome;
  address: string;
  requestId: string;
  /** What JSON can say, up to 4,000 characters of it; more than that is kept as `{cut: <their beginning>}`. */
  details?: JsonObject | undefined;
}

/** Whoever has the machine, at its command line. */
export const COMMAND_LINE = { owner: '', actor: 'command-line', credential: '', address: '', requestId: '' };

/** An entry as it is read again. */
export interface AuditRecord {
  seq: number;
  at: string;
  owner: string;
  actor: string;
  credential: string;
  action: string;
  target: string;
  outcome: string;
  address: string;
  requestId: string;
  details: JsonObject;
  hash: string;
}

/** The last row of the log. */
export interface AuditHead {
  seq: number;
  hash: string;
}

/** Which entries: the newest `limit` (1 to 1000) of those before number `before` with all these values. */
export interface AuditFilter {
  limit: number;
  before?: number | undefined;
  owner?: string | undefined;
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
}

/**
 * Appends an entry: in `db`'s transaction if it is one, which then holds the log until its end, or else in one of its
 * own. Within a transaction it must be the last that is locked, or two could wait for each other; and whoever is in one
 * must give it, not the database.
 * @throws Error if the log's head is missing or does not fit: what cannot be recorded must not be done.
 */
export async function appendAudit(db: Kysely<Schema>, entry: AuditEntry): Promise<void> {
  if (db.isTransaction) await append(db, entry);
  else await db.transaction().execute((tx) => append(tx, entry));
}

/** The newest entries first, of all owners if none is given; `nextBefore` is the `before` of the next page, null at the end. */
export async function listAudit(
  db: Kysely<Schema>,
  filter: AuditFilter,
): Promise<{ entries: AuditRecord[]; nextBefore: number | null }> {
  const rows: AuditRow[] = [];
  let before = filter.before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const from = await seqFarBefore(db, before);
    let query = matching(db, filter).where('seq', '<', before);
    if (from !== undefined) query = query.where('seq', '>=', from);
    rows.push(...(await query.limit(filter.limit + 1 - rows.length).execute()));
    if (from === undefined || rows.length > filter.limit) break;
    before = from;
  }
  const entries = rows.slice(0, filter.limit).map(toRecord);
  return { entries, nextBefore: rows.length > filter.limit ? (entries.at(-1)?.seq ?? null) : null };
}

/** Up to `limit` (≥ 1) rows after number `afterSeq`, oldest first, as they are stored. */
export async function readAudit(db: Kysely<Schema>, afterSeq: number, limit: number): Promise<AuditRow[]> {
  return await db
    .selectFrom('audit_log')
    .selectAll()
    .where('seq', '>', afterSeq)
    // Neither driver reads a larger number; only a forged row has one.
    .where('seq', '<=', Number.MAX_SAFE_INTEGER)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** Does the log have a row with a number that `readAudit` from 0 on does not come to? */
export async function hasStrayAudit(db: Kysely<Schema>): Promise<boolean> {
  const row = await db
    .selectFrom('audit_log')
    .select('hash')
    .where((is) => is.or([is('seq', '<', 1), is('seq', '>', Number.MAX_SAFE_INTEGER)]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What is kept as the last row; undefined if that is missing. A forged `seq` may be any number, or NaN. */
export async function readAuditHead(db: Kysely<Schema>): Promise<AuditHead | undefined> {
  const row = await db
    .selectFrom('audit_head')
    // As text, because neither driver reads a number beyond 2^53.
    .select([sql<string>`cast(seq as text)`.as('seq'), 'hash'])
    .where('id', '=', 1)
    .executeTakeFirst();
  return row && { seq: Number(row.seq), hash: row.hash };
}

async function append(tx: Kysely<Schema>, entry: AuditEntry): Promise<void> {
  const query = tx.selectFrom('audit_head').select(['seq', 'hash']).where('id', '=', 1);
  const head = await (isPostgres(tx) ? query.forUpdate() : query).executeTakeFirst();
  if (!head) throw new Error('the head of the audit log is missing; `profclaw audit verify` says more');
  const row = toRow(head.seq + 1, entry);
  const hash = hashOf(head.hash, row);
  await tx
    .insertInto('audit_log')
    .values({ ...row, hash })
    .execute();
  await tx.updateTable('audit_head').set({ seq: row.seq, hash }).where('id', '=', 1).execute();
}

function toRow(seq: number, entry: AuditEntry): Omit<AuditRow, 'hash'> {
  return {
    seq,
    // Read when the head is locked, so that one clock's times follow the numbers.
    at: bounded(entry.at ?? timestamp(), MAX_NAME),
    owner: bounded(entry.owner, MAX_NAME),
    actor: bounded(entry.actor, MAX_NAME),
    credential: bounded(entry.credential, MAX_NAME),
    action: bounded(entry.action, MAX_NAME),
    target: bounded(entry.target, MAX_TARGET),
    outcome: entry.outcome,
    address: bounded(entry.address, MAX_NAME),
    request_id: bounded(entry.requestId, MAX_NAME),
    details: detailsText(entry.details ?? {}),
  };
}

function bounded(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.toWellFormed().replaceAll('\0', '\ufffd');
}

function detailsText(details: JsonObject): string {
  const text = JSON.stringify(details);
  return text.length > MAX_DETAILS ? JSON.stringify({ cut: text.slice(0, MAX_DETAILS) }) : text;
}

/** The number of the row so many before `before`; undefined if there are not as many. */
async function seqFarBefore(db: Kysely<Schema>, before: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('audit_log')
    .select('seq')
    .where('seq', '<', before)
    .orderBy('seq', 'desc')
    .offset(LOOKED_THROUGH - 1)
    .limit(1)
    .executeTakeFirst();
  return row?.seq;
}

function matching(db: Kysely<Schema>, { owner, actor, action, target }: AuditFilter) {
  let query = db.selectFrom('audit_log').selectAll().orderBy('seq', 'desc');
  if (owner !== undefined) query = query.where('owner', '=', bounded(owner, MAX_NAME));
  if (actor !== undefined) query = query.where('actor', '=', bounded(actor, MAX_NAME));
  if (action !== undefined) query = query.where('action', '=', bounded(action, MAX_NAME));
  if (target !== undefined) query = query.where('target', '=', bounded(target, MAX_TARGET));
  return query;
}

function toRecord({ request_id, details, ...row }: AuditRow): AuditRecord {
  return { ...row, requestId: request_id, details: asObject(tryParseJson(details)) };
}
