import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import { hasAccounts } from '../storage/accounts.ts';
import { type FoundKey, findKey, touchKey } from '../storage/api-keys.ts';
import type { Database } from '../storage/database.ts';
import { timestamp } from '../storage/rows.ts';
import type { Schema } from '../storage/schema.ts';
import { type FoundSession, findSession, touchSession } from '../storage/sessions.ts';
import { hasAccessKey } from './access-key.ts';
import { KeptRows } from './kept-rows.ts';
import type { Principal } from './principal.ts';
import { type Scope, scopesOf } from './scopes.ts';
import { sessionEnd } from './sessions.ts';
import { hashOf, KEY_PREFIX } from './tokens.ts';

/** How long it may take until another process's first account or access key is noticed here. */
const MODE_KEPT_MS = 1000;

/**
 * For how long a key or session that was looked up on SQLite is not looked up again: there all is changed by this
 * process, which then says so, or by a command at the machine. On PostgreSQL by any node, so there it is not kept.
 */
const ROWS_KEPT_MS = 1000;

/** When a key or session was last used is kept no more exactly than this. */
const TOUCHED_EVERY_MS = 60_000;

/** What a request brings: the `Authorization` header, and the value of the session's cookie. */
export interface Credentials {
  authorization: string | undefined;
  session: string | undefined;
}

/** Who it is. `renewed`: the session's end has moved, so that the cookie must be sent again. */
export interface Identified {
  principal: Principal;
  renewed: boolean;
}

/** Knows who may come in: whether everything is locked, and whose a credential is. */
export class Gate {
  readonly #db: Kysely<Schema>;
  readonly #keys: KeptRows<FoundKey>;
  readonly #sessions: KeptRows<FoundSession>;
  readonly #isReachable: boolean;
  readonly #touching = new Set<string>();
  readonly #mode = new KeptRows<{ isLocked: boolean }>(MODE_KEPT_MS);

  /** @param isReachable other machines can connect, so that nobody comes in without a credential. */
  constructor({ db, kind }: Pick<Database, 'db' | 'kind'>, isReachable: boolean) {
    this.#db = db;
    const keptMs = kind === 'sqlite' ? ROWS_KEPT_MS : 0;
    this.#keys = new KeptRows(keptMs);
    this.#sessions = new KeptRows(keptMs);
    this.#isReachable = isReachable;
  }

  /** Must everybody have a credential? Else programs of this machine act as the owner. */
  async isLocked(): Promise<boolean> {
    if (this.#isReachable) return true;
    const mode = await this.#mode.get('', async () => ({ isLocked: await hasCredentials(this.#db) }));
    return mode?.isLocked ?? true;
  }

  /** To be called when an account, the access key, a session, a key or the budget of one has changed. */
  changed(): void {
    this.#mode.clear();
    this.#keys.clear();
    this.#sessions.clear();
  }

  /**
   * Whose credentials they are; undefined for a stranger: without any, or with a session that has ended.
   * @throws AppError `unauthenticated` for an `Authorization` that is none, whatever it looks like.
   */
  async identify({ authorization, session }: Credentials): Promise<Identified | undefined> {
    if (authorization !== undefined) return { principal: await this.#holder(authorization), renewed: false };
    const found = session === undefined ? undefined : await this.#session(hashOf(session));
    if (!found || found.expires_at <= timestamp() || (found.account !== null && found.status !== 'active'))
      return undefined;
    return { principal: sessionPrincipal(found), renewed: this.#touchSession(found) };
  }

  async #holder(authorization: string): Promise<Principal> {
    const [, secret] = /^bearer +(\S+) *$/i.exec(authorization) ?? [];
    if (secret === undefined) throw unauthenticated('Send the key as Authorization: Bearer profclaw_…');
    if (!secret.startsWith(KEY_PREFIX))
      throw unauthenticated('An API key begins with profclaw_; an access key goes to POST /api/auth/verify-access-key');
    const found = await this.#key(hashOf(secret));
    if (!found) throw unauthenticated('There is no such API key, or it was revoked; POST /api/keys makes one');
    if (found.expires_at !== null && found.expires_at <= timestamp())
      throw unauthenticated(`The API key ${JSON.stringify(found.name)} expired on ${found.expires_at}; make a new one`);
    if (found.account !== null && found.status !== 'active')
      throw unauthenticated('The account of this API key was disabled or deleted; ask an admin');
    this.#touch(found, found.last_used_at, (at) => {
      found.last_used_at = at;
      return touchKey(this.#db, found, at);
    });
    return keyPrincipal(found);
  }

  #key(hash: string): Promise<FoundKey | undefined> {
    return this.#keys.get(hash, () => findKey(this.#db, hash));
  }

  #session(hash: string): Promise<FoundSession | undefined> {
    return this.#sessions.get(hash, () => findSession(this.#db, hash));
  }

  #touchSession(found: FoundSession): boolean {
    return this.#touch(found, found.last_seen_at, (at) => {
      Object.assign(found, { last_seen_at: at, expires_at: sessionEnd() });
      return touchSession(this.#db, found, found);
    });
  }

  /** Beside the request, which does not wait for it. */
  #touch({ id }: { id: string }, last: string | null, write: (at: string) => Promise<void>): boolean {
    const isFresh = last !== null && Date.now() - Date.parse(last) < TOUCHED_EVERY_MS;
    if (isFresh || this.#touching.has(id)) return false;
    this.#touching.add(id);
    const done = () => this.#touching.delete(id);
    // What is missing is a minute of a note.
    write(timestamp()).then(done, done);
    return true;
  }
}

/** A stranger where somebody known is asked for. @param hint what to do. */
export function unauthenticated(hint: string): AppError {
  return new AppError('unauthenticated', 'Authentication required', { details: { hint } });
}

/** Is there anything that somebody could come in with? */
export async function hasCredentials(db: Kysely<Schema>): Promise<boolean> {
  return (await hasAccounts(db)) || (await hasAccessKey(db));
}

function keyPrincipal(found: FoundKey): Principal {
  const { id, owner, account } = found;
  const role = found.role ?? 'owner';
  const most = scopesOf(role);
  const scopes = (JSON.parse(found.scopes) as Scope[]).filter((scope) => most.includes(scope));
  return {
    owner,
    actor: account ?? 'local',
    via: 'key',
    credential: id,
    account: account ?? undefined,
    role,
    scopes,
    isBounded: found.rate_limit !== null || found.expires_at !== null || found.key_budget !== null,
    limits: { key: found.rate_limit ?? undefined, user: found.account_limit ?? undefined },
    budgets: [found.key_budget, found.account_budget].filter((subject) => subject !== null),
  };
}

function sessionPrincipal({ id, owner, account, role: own, rate_limit, budget }: FoundSession): Principal {
  const role = own ?? 'owner';
  return {
    owner,
    actor: account ?? 'access-key',
    via: 'session',
    credential: id,
    account: account ?? undefined,
    role,
    scopes: scopesOf(role),
    isBounded: false,
    limits: { key: undefined, user: rate_limit ?? undefined },
    budgets: budget === null ? [] : [budget],
  };
}
