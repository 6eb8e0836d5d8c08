import type { Kysely } from 'kysely';
import { hasCredentials } from '../auth/gate.ts';
import { LOCAL_OWNER } from '../auth/principal.ts';
import { hashOf, KEY_PREFIX, newSecret } from '../auth/tokens.ts';
import type { Config } from '../config.ts';
import { newId } from '../core/ids.ts';
import { hide } from '../core/redactor.ts';
import { openLog, serve } from '../serve.ts';
import { deleteKey, insertKey } from '../storage/api-keys.ts';
import { appendAudit, COMMAND_LINE } from '../storage/audit.ts';
import { timestamp } from '../storage/rows.ts';
import type { Schema } from '../storage/schema.ts';
import type { Connection } from './connect.ts';
import { withExistingDatabase } from './existing-database.ts';

/** Nobody waits longer to leave, in milliseconds: what is under way is taken up by the next start. */
const MOST_STOP_MS = 2000;
const KEY_NAME = 'profclaw at the command line';
const KEY_LIFE_MS = 24 * 60 * 60 * 1000;
const KEY_SCOPES = ['chat', 'tools', 'conversations:read'];

/**
 * Starts a server inside this process, for this machine only, on a free port, which logs only if PROFCLAW_LOG_LEVEL is
 * trace or debug. If everybody needs a credential it makes a key that acts as the
 * owner: whoever can read the settings and the database may do all that the owner may. The key is deleted at the end,
 * and expires in a day if that fails.
 */
export async function startOwnServer(config: Config): Promise<Connection> {
  const isTold = config.logLevel === 'trace' || config.logLevel === 'debug';
  const own: Config = {
    ...config,
    host: '127.0.0.1',
    port: 0,
    logLevel: isTold ? config.logLevel : 'silent',
    stopTimeout: Math.min(config.stopTimeout, MOST_STOP_MS),
    access: { ...config.access, isReachable: false },
  };
  const running = await serve(own, openLog(own));
  try {
    const key = await withExistingDatabase(config, 'api_keys', makeKey);
    return {
      server: { url: running.url, ...(key ? { headers: { authorization: `Bearer ${key.secret}` } } : {}) },
      isOwn: true,
      close: async () => {
        try {
          await running.stop();
        } finally {
          if (key) await withExistingDatabase(config, 'api_keys', (db) => removeKey(db, key.id));
        }
      },
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** @returns undefined if nobody needs one. */
async function makeKey(db: Kysely<Schema>): Promise<{ id: string; secret: string } | undefined> {
  if (!(await hasCredentials(db))) return undefined;
  const id = newId('key');
  const secret = KEY_PREFIX + newSecret();
  hide('command line', [secret]);
  const expires = new Date(Date.now() + KEY_LIFE_MS).toISOString();
  await db.transaction().execute(async (tx) => {
    await tx
      .deleteFrom('api_keys')
      .where('owner', '=', LOCAL_OWNER)
      .where('name', '=', KEY_NAME)
      .where('expires_at', '<', timestamp())
      .execute();
    await insertKey(tx, {
      id,
      owner: LOCAL_OWNER,
      account: null,
      hash: hashOf(secret),
      hint: KEY_PREFIX,
      name: KEY_NAME,
      scopes: JSON.stringify(KEY_SCOPES),
      rate_limit: null,
      created_at: timestamp(),
      expires_at: expires,
      last_used_at: null,
    });
    const details = { name: KEY_NAME, scopes: KEY_SCOPES, expiresAt: expires };
    await appendAudit(tx, { ...COMMAND_LINE, action: 'key.create', target: id, outcome: 'done', details });
  });
  return { id, secret };
}

async function removeKey(db: Kysely<Schema>, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    if (!(await deleteKey(tx, LOCAL_OWNER, id))) return;
    await appendAudit(tx, { ...COMMAND_LINE, action: 'key.revoke', target: id, outcome: 'done' });
  });
}
