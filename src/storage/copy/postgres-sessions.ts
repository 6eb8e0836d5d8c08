import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/**
 * A server asks for jobs twice a second, so one that is alive has been heard of within this time. Connections that a
 * pooler keeps after a server has gone say nothing.
 */
const SILENT_S = 5;

/**
 * @throws Error for a person if a server, on whatever machine, uses this database. It is known by the name that its
 * connections give, the engine's among them, which no setting changes.
 */
export async function requireUnused(tx: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ name: string; address: string | null; n: number }>`
    select application_name as name, coalesce(host(client_addr), 'this machine') as address, count(*) as n
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'profclaw%'
      and (state is distinct from 'idle' or state_change > clock_timestamp() - ${SILENT_S} * interval '1 second')
    group by 1, 2 order by 3 desc`.execute(tx);
  const [first] = rows;
  if (first === undefined) return;
  throw new Error(
    `the database is in use: it has ${rows.reduce((sum, { n }) => sum + n, 0)} connections of profclaw, from ` +
      `${[...new Set(rows.map(({ address }) => address))].join(', ')}. Stop all servers that use it first`,
  );
}
