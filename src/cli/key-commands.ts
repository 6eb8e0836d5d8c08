import { createKey, revokeKey } from '../auth/keys.ts';
import { type KeyRow, listKeys } from '../storage/api-keys.ts';
import { type BudgetView, getBudget, getBudgets } from '../storage/budgets.ts';
import { withExistingDatabase } from './existing-database.ts';
import type { NewKeyOptions } from './keys.ts';
import { commandContext, operatorFor } from './operator.ts';
import { withOwnDatabase } from './own-database.ts';
import { toMinute, writeJson, writeTable } from './table.ts';
import { type Terminal, writeLine } from './terminal.ts';

const MOST_KEYS = 1000;
const MOST_NAME_CHARS = 200;

/** Lists the keys of an account. @throws Error for a person */
export async function listKeysCommand(
  terminal: Terminal,
  { user, json }: { user?: string; json?: boolean },
): Promise<void> {
  const keys = await withExistingDatabase(terminal.config(), 'api_keys', async (db) => {
    const { owner } = await operatorFor(db, user);
    const { rows } = await listKeys(db, owner, { limit: MOST_KEYS, offset: 0 });
    const budgets = await getBudgets(
      db,
      owner,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => viewOf(row, budgets.get(row.id)));
  });
  if (json) return writeJson(terminal, keys);
  writeTable(
    terminal,
    [
      { heading: 'ID', of: ({ id }) => id, isWhole: true },
      { heading: 'NAME', of: ({ name }) => name },
      { heading: 'BEGINS', of: ({ hint }) => hint },
      { heading: 'SCOPES', of: ({ scopes }) => scopes.join(' ') },
      { heading: 'EXPIRES', of: ({ expiresAt }) => toMinute(expiresAt)?.slice(0, 10) ?? 'never' },
      { heading: 'LAST USED', of: ({ lastUsedAt }) => toMinute(lastUsedAt) ?? 'never' },
      { heading: 'LIMITS', of: limitsOf },
    ],
    keys,
    'There are no API keys; `profclaw keys create <name>` makes one.',
  );
}

/** Makes a key; its secret is all that goes to standard output. @throws Error for a person, AppError */
export async function createKeyCommand(terminal: Terminal, name: string, options: NewKeyOptions): Promise<void> {
  if (name.trim() === '' || name.length > MOST_NAME_CHARS)
    throw new Error(`the name of a key must have 1 to ${MOST_NAME_CHARS} characters`);
  const {
    expires: expiresInDays,
    rateLimit,
    budgetUsd: usd,
    budgetTokens: tokens,
    budgetPeriod: period,
    scope: scopes,
  } = options;
  const budget = usd === undefined && tokens === undefined ? undefined : { usd, tokens, period };
  const config = terminal.config();
  const made = await withOwnDatabase(config, 'api_keys', async (db) => {
    const principal = await operatorFor(db, options.user);
    const wanted = { name, scopes, expiresInDays, rateLimit, budget };
    const { key, secret } = await createKey(commandContext(config, db), principal, wanted);
    return { key: viewOf(key, await getBudget(db, principal.owner, key.id)), secret };
  });
  if (options.json) return writeJson(terminal, made);
  const until = made.key.expiresAt === null ? 'until it is revoked' : `until ${toMinute(made.key.expiresAt)} UTC`;
  terminal.error.write(`${made.key.id} is good for ${made.key.scopes.join(', ')}, ${until}. It is shown this once:\n`);
  writeLine(terminal, made.secret);
}

/** Revokes a key. @throws Error for a person, NotFoundError */
export async function revokeKeyCommand(terminal: Terminal, id: string, { user }: { user?: string }): Promise<void> {
  const config = terminal.config();
  await withExistingDatabase(config, 'api_keys', async (db) =>
    revokeKey(commandContext(config, db), await operatorFor(db, user), id),
  );
  writeLine(terminal, `${id} is revoked`);
}

interface KeyView {
  id: string;
  name: string;
  hint: string;
  scopes: string[];
  rateLimit: number | null;
  budget: BudgetView | null;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

/** As the API shows it. */
function viewOf(row: KeyRow, budget: BudgetView | undefined): KeyView {
  const { id, name, hint, rate_limit: rateLimit, created_at: createdAt } = row;
  const times = { createdAt, expiresAt: row.expires_at, lastUsedAt: row.last_used_at };
  return { id, name, hint, scopes: JSON.parse(row.scopes), rateLimit, budget: budget ?? null, ...times };
}

function limitsOf({ rateLimit, budget }: KeyView): string | null {
  const parts = [
    ...(rateLimit === null ? [] : [`${rateLimit}/min`]),
    ...(budget?.usd == null ? [] : [`$${budget.usd} a ${budget.period}`]),
    ...(budget?.tokens == null ? [] : [`${budget.tokens} tokens a ${budget.period}`]),
  ];
  return parts.join(', ') || null;
}
