import type { Client } from 'pg';
import type { Logger } from 'pino';
import type { Options, Sql } from 'postgres';
import { passwordsOf } from '../../storage/postgres.ts';
import { ENDS, NAMESPACE, type Store, WORKFLOW } from './store.ts';

const SCHEMA = 'openworkflow';
const TABLE = `${SCHEMA}.workflow_runs`;
const MAX_CONNECTIONS = 4;
const CONNECT_TIMEOUT_S = 10;
const BETWEEN_CONNECTS_S = 0.5;
const GOODBYE_S = 5;
/** OpenWorkflow leaves its connection open if it cannot migrate. */
const FORGOTTEN_S = 1;
/** One node migrates, others wait. Any number that nobody else takes. */
const MIGRATION_LOCK = 7_242_136_801;

/**
 * Opens OpenWorkflow's tables in a PostgreSQL, in the schema `openworkflow`, which is made if it is not there.
 * @throws Error if it cannot connect within 10 s or may not make the tables; no message holds the password.
 */
export async function openPostgresStore(databaseUrl: string, log: Logger): Promise<Store> {
  // Loaded here, because they cost memory that a server on SQLite does not need.
  const [pg, { default: postgres }, { BackendPostgres }] = await Promise.all([
    import('pg'),
    import('postgres'),
    import('openworkflow/postgres'),
  ]);
  const options = {
    ...placeOf(new pg.Client({ connectionString: databaseUrl })),
    max: MAX_CONNECTIONS,
    connect_timeout: CONNECT_TIMEOUT_S,
    backoff: () => BETWEEN_CONNECTS_S,
    // Poolers that hand connections round (PgBouncer) need not know of prepared statements.
    prepare: false,
    fetch_types: false,
    connection: { application_name: 'profclaw engine' },
    transform: { column: { from: postgres.toCamel } },
    // Would be printed.
    onnotice: (notice: object) => log.debug({ notice }, 'PostgreSQL gave the engine a notice'),
  };
  const sql = postgres(options);
  try {
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK}::bigint)`;
      // It migrates where it connects itself, and nowhere else. What it takes for a URL is handed on to postgres.js,
      // which takes its options just as well: they say of sockets and TLS what its own reading of URLs does not know.
      const place = { ...options, max: 1, idle_timeout: FORGOTTEN_S } as never;
      const migrated = await BackendPostgres.connect(place, { namespaceId: NAMESPACE, schema: SCHEMA });
      await migrated.stop();
    });
  } catch (error) {
    await sql.end({ timeout: 0 });
    // No `cause`: a logger would print it as it is.
    throw new Error(`cannot open the engine's tables in PostgreSQL: ${reason(error, databaseUrl)}`);
  }
  const backend = BackendPostgres.fromPool(sql, { namespaceId: NAMESPACE, schema: SCHEMA });
  // Leases must not run out because renewing them has to wait until many jobs are stored.
  const beats = postgres({ ...options, max: 1 });
  return {
    backend,
    ...queriesOf(sql),
    renew: renewalOver(beats),
    close: async () => {
      await Promise.all([sql, beats].map((pool) => pool.end({ timeout: GOODBYE_S })));
    },
  };
}

function queriesOf(sql: Sql): Pick<Store, 'stateOf' | 'prune'> {
  const runs = sql(TABLE);
  return {
    stateOf: async (key) => {
      const [run] = await sql<{ status: string }[]>`
        select status from ${runs} where namespace_id = ${NAMESPACE} and workflow_name = ${WORKFLOW.name}
        and idempotency_key = ${key} order by created_at desc limit 1`;
      return run?.status;
    },
    prune: async (ageMs, most) => {
      const before = sql`now() - ${ageMs} * interval '1 millisecond'`;
      const { count } = await sql`
        delete from ${runs} where namespace_id = ${NAMESPACE} and id in (
          select id from ${runs} where namespace_id = ${NAMESPACE} and status in ${sql(ENDS)}
          and created_at < ${before} and finished_at < ${before} limit ${most} for update skip locked)`;
      return count;
    },
  };
}

function renewalOver(sql: Sql): Store['renew'] {
  return async (holdings, leaseMs) => {
    const kept = await sql<{ workerId: string }[]>`
      update ${sql(TABLE)} as run set available_at = now() + ${leaseMs} * interval '1 millisecond'
      from json_to_recordset(${JSON.stringify(holdings)}::text::json) as held(id text, "workerId" text)
      where run.namespace_id = ${NAMESPACE} and run.id = held.id and run.worker_id = held."workerId"
      and run.status = 'running' returning run.worker_id`;
    return new Set(kept.map(({ workerId }) => workerId));
  };
}

/** What `pg` reads in a URL, so that the engine is where our own tables are. */
function placeOf({ host, port, user, password, database, ssl }: Client): Options<Record<string, never>> {
  return {
    host,
    port,
    ssl,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
  };
}

function reason(error: unknown, databaseUrl: string): string {
  // OpenWorkflow wraps what went wrong in an advice on URLs.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : 'unknown';
  const message = inner instanceof Error && inner.message !== '' ? inner.message : code;
  return passwordsOf(databaseUrl).reduce((text, secret) => text.replaceAll(secret, '***'), message);
}
