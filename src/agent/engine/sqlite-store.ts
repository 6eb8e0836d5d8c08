import { DatabaseSync } from 'node:sqlite';
import { BackendSqlite } from 'openworkflow/sqlite';
import { openSqliteFile } from '../../storage/sqlite-file.ts';
import { ENDS, NAMESPACE, type Store, WORKFLOW } from './store.ts';

const ENDED = ENDS.map((end) => `'${end}'`).join();

/**
 * Opens OpenWorkflow's tables in an SQLite file of their own, created with mode 0600 if it is not there; `:memory:` for
 * none. It is not the file of our tables: two connections to one file would block each other within the process.
 * @throws Error that names the file if it cannot be used.
 */
export async function openSqliteStore(file: string): Promise<Store> {
  // OpenWorkflow would create it readable by all, and says less of what is wrong with it.
  if (file !== ':memory:') (await openSqliteFile(file)).close();
  const backend = BackendSqlite.connect(file, { namespaceId: NAMESPACE });
  const db = connectionOf(backend);
  // As in our own file: a power cut may lose the last commits. Ours have all that counts, so that does no harm.
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
  const find = db.prepare(
    `select status from workflow_runs where namespace_id = '${NAMESPACE}' and workflow_name = '${WORKFLOW.name}'
     and idempotency_key = ? order by created_at desc limit 1`,
  );
  const renewOne = db.prepare(
    `update workflow_runs set available_at = ?
     where namespace_id = '${NAMESPACE}' and id = ? and worker_id = ? and status = 'running'`,
  );
  const prune = db.prepare(
    `delete from workflow_runs where rowid in (select rowid from workflow_runs
     where namespace_id = '${NAMESPACE}' and status in (${ENDED}) and created_at < ?1 and finished_at < ?1 limit ?2)`,
  );
  return {
    backend,
    stateOf: (key) => {
      const state = find.get(key)?.status;
      return Promise.resolve(typeof state === 'string' ? state : undefined);
    },
    renew: (holdings, leaseMs) => {
      const kept = new Set<string>();
      inTransaction(db, () => {
        const until = ago(-leaseMs);
        for (const { id, workerId } of holdings) {
          if (renewOne.run(until, id, workerId).changes > 0) kept.add(workerId);
        }
      });
      return Promise.resolve(kept);
    },
    prune: (ageMs, most) => Promise.resolve(Number(prune.run(ago(ageMs), most).changes)),
    close: () => backend.stop(),
  };
}

/** OpenWorkflow has no option for what must be set on its connection, which it keeps to itself. */
function connectionOf(backend: BackendSqlite): DatabaseSync {
  const db: unknown = Reflect.get(backend, 'db');
  if (db instanceof DatabaseSync) return db;
  throw new Error('this version of openworkflow does not keep its SQLite connection in `db` any more');
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('begin immediate');
  try {
    work();
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

/** A moment as OpenWorkflow stores it. */
function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}
