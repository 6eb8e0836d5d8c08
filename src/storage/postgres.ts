import { type Dialect, PostgresDialect } from 'kysely';

const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_MS = 5000;
const INT8_OID = 20;

/**
 * Connects to PostgreSQL (`postgres://user:password@host:port/database`) and gives the Kysely dialect for it, over a
 * pool of 10 connections. Throws an Error if it cannot connect within 10 s; no message holds the password.
 */
export async function openPostgres(databaseUrl: string): Promise<Dialect> {
  const url = parseDatabaseUrl(databaseUrl);
  // Loaded here, because it costs memory that a server on SQLite does not need.
  const { Pool, TypeOverrides } = await import('pg');
  const types = new TypeOverrides();
  types.setTypeParser(INT8_OID, parseInt8);
  const pool = new Pool({
    connectionString: databaseUrl,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    fallback_application_name: 'profclaw',
    types,
  });
  // A connection that ends while nothing runs on it (server restart) is replaced by the pool at the next query. Without
  // a listener its error would end the process; the one on each client is for those in the middle of a transaction.
  pool.on('error', ignore);
  pool.on('connect', (client) => {
    client.on('error', ignore);
    // A process that is frozen in the middle of a transaction would keep others from the rows that it has locked.
    client.query(`set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`).catch(ignore);
  });
  try {
    const client = await pool.connect();
    client.release();
  } catch (error) {
    await pool.end();
    // No `cause`: a logger would print it, unredacted.
    throw new Error(`cannot connect to PostgreSQL at ${url.host}: ${redact(reason(error), passwordsOf(databaseUrl))}`);
  }
  return new PostgresDialect({ pool });
}

function parseDatabaseUrl(text: string): URL {
  // `postgres://user@/db?host=/run/postgresql` (a socket) is usual and understood by pg, but no URL to the standard.
  const url = URL.parse(text.replace('@/', '@localhost/'));
  const isPostgres = url?.protocol === 'postgres:' || url?.protocol === 'postgresql:';
  // An unescaped # in a password cuts the URL there, and pg would look for a host called like the user.
  if (url === null || !isPostgres || url.hash !== '') {
    throw new Error(
      'the database URL is not of the form postgres://user:password@host:port/database ' +
        '(special characters in the password must be percent-encoded: # is %23, / is %2F, @ is %40)',
    );
  }
  return url;
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database holds an integer beyond 2^53: ${text}`);
  return value;
}

function ignore(): void {}

// Node gives an AggregateError without a message when a name has several addresses and all refuse.
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** The passwords in the URL of a database, as they stand there and as they are meant; none if it is malformed. */
export function passwordsOf(databaseUrl: string): string[] {
  const url = URL.parse(databaseUrl.replace('@/', '@localhost/'));
  if (!url) return [];
  const passwords = [url.password, url.searchParams.get('password') ?? ''];
  try {
    passwords.push(decodeURIComponent(url.password));
  } catch {
    // Not percent-encoded: then it is used as it stands.
  }
  return passwords.filter((password) => password !== '');
}

function redact(message: string, secrets: string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
}
