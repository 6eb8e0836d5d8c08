import type { Migration } from 'kysely/migration';
import { MIGRATIONS } from '../migrations/index.ts';

/**
 * The migrations of these names, which are to be applied to a copy.
 * @param origin what has them, for the message. @throws Error for a person if it is none of ours, or a newer one.
 */
export function migrationsNamed(names: readonly string[], origin: string): Record<string, Migration> {
  if (names.length === 0)
    throw new Error(`${origin} is not a database of profclaw, or no server has started on it yet`);
  const unknown = names.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new Error(
      `${origin} was made by a newer profclaw: this version does not know migration ${unknown.join(', ')}. Upgrade profclaw first`,
    );
  }
  return Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => names.includes(name)));
}
