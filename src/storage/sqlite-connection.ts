import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { whileBusy } from './sqlite-busy.ts';

const MAX_STATEMENTS = 256;

interface Prepared {
  statement: StatementSync;
  /** Whether it gives rows: a select, a pragma, anything with RETURNING. */
  hasRows: boolean;
}

/** Runs Kysely's compiled queries on one SQLite database, keeping the last 256 statements prepared. */
export class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return whileBusy(this.#db, () => this.#execute<Row>(query));
  }

  // Nor does PostgreSQL stream here: pg would need another package for it.
  streamQuery(): never {
    throw new Error('queries cannot be streamed: read them in pages');
  }

  #execute<Row>(query: CompiledQuery): QueryResult<Row> {
    const { statement, hasRows } = this.#prepare(query.sql);
    const parameters = query.parameters.map(bindable);
    const effect = effectOf(query);
    if (hasRows) {
      const rows = statement.all(...parameters) as Row[];
      return effect === 'none' ? { rows } : { rows, numAffectedRows: BigInt(rows.length) };
    }
    const { changes, lastInsertRowid } = statement.run(...parameters);
    // After a statement that writes no rows, SQLite still reports the numbers of the one before it.
    if (effect === 'none') return { rows: [] };
    const numAffectedRows = BigInt(changes);
    if (effect === 'change' || numAffectedRows === 0n) return { rows: [], numAffectedRows };
    return { rows: [], numAffectedRows, insertId: BigInt(lastInsertRowid) };
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      const statement = this.#db.prepare(sql);
      prepared = { statement, hasRows: statement.columns().length > 0 };
    } else {
      this.#prepared.delete(sql);
    }
    // A Map keeps the order of insertion, so its first key is the one unused for longest.
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size > MAX_STATEMENTS) {
      const oldest = this.#prepared.keys().next().value;
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    return prepared;
  }
}

function effectOf(query: CompiledQuery): 'insert' | 'change' | 'none' {
  switch (query.query.kind) {
    case 'InsertQueryNode':
      return 'insert';
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
      return 'change';
    case 'RawNode':
      if (/^\s*(?:insert|replace)\b/i.test(query.sql)) return 'insert';
      return /^\s*(?:update|delete)\b/i.test(query.sql) ? 'change' : 'none';
    default:
      return 'none';
  }
}

/**
 * Refuses what the two databases would keep differently, or what node:sqlite would take for named parameters (any
 * object, a Date too) and bind as NULL. The value itself stays out of the message: it may be a secret.
 */
function bindable(value: unknown, index: number): SQLInputValue {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      break;
    case 'object':
      if (value === null || value instanceof Uint8Array) return value;
      break;
  }
  const what =
    value instanceof Date ? 'a Date' : typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
  throw new TypeError(
    `query parameter ${index + 1} is ${what}: store text, numbers, null or bytes (times as ISO text, booleans as 0 or 1)`,
  );
}
