import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Client } from 'pg';
import { vi } from 'vitest';
import { SqliteConnection } from '../../src/storage/sqlite-connection.ts';

const STARTED = 'http.server.request.start';

/** Counts how often Argon2 is really computed in this process. */
export function countHashes(): { count(): number; stop(): void } {
  let count = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === 'ARGON2REQUEST') count++;
    },
  }).enable();
  return { count: () => count, stop: () => void hook.disable() };
}

/** Notes the statements of the last request that has begun, in their order, whatever else the database does. */
export function watchStatements(): { ofLast(): readonly string[]; stop(): void } {
  const requests = new AsyncLocalStorage<string[]>();
  let last: string[] = [];
  const begin = (): void => {
    last = [];
    // The handler is called next, within this.
    requests.enterWith(last);
  };
  subscribe(STARTED, begin);
  const note = (statement: unknown): void => {
    if (typeof statement === 'string') requests.getStore()?.push(statement);
  };
  const { executeQuery } = SqliteConnection.prototype;
  const sqlite = vi.spyOn(SqliteConnection.prototype, 'executeQuery').mockImplementation(function (
    this: SqliteConnection,
    query,
  ) {
    note(query.sql);
    return executeQuery.call(this, query) as never;
  });
  // biome-ignore lint/complexity/noBannedTypes: pg has a dozen ways to be called
  const query = Client.prototype.query as Function;
  const postgres = vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...given: unknown[]) {
    note(given[0]);
    return query.apply(this, given);
  } as never);
  return {
    ofLast: () => last,
    stop: () => {
      unsubscribe(STARTED, begin);
      sqlite.mockRestore();
      postgres.mockRestore();
    },
  };
}
