import type { Migration } from 'kysely/migration';
import { up as foundation } from './0001_foundation.ts';
import { up as conversations } from './0002_conversations.ts';
import { up as access } from './0003_access.ts';
import { up as runs } from './0004_runs.ts';

/**
 * Every migration by name, applied in the order of the names. A list in code instead of a folder that is read, so that
 * a bundler sees them all. A migration that was released is never edited: add the next one.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_foundation': { up: foundation },
  '0002_conversations': { up: conversations },
  '0003_access': { up: access },
  '0004_runs': { up: runs },
};
