import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { DatabaseOptions } from '../../../src/storage/database.ts';
import type { Schema } from '../../../src/storage/schema.ts';

/** Gives the place of a new, empty database on the backend under test. */
export type FreshDatabase = () => Promise<DatabaseOptions>;

/** The suite's open database; a function, because it is opened only when the tests begin. */
export type OpenDb = () => Kysely<Schema>;

/** An owner that no other test has: tests share one database without seeing each other's rows. */
export function newOwner(): string {
  return `owner-${randomUUID()}`;
}
