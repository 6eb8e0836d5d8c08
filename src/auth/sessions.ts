import type { Kysely } from 'kysely';
import { newId } from '../core/ids.ts';
import { timestamp } from '../storage/rows.ts';
import type { Schema } from '../storage/schema.ts';
import { insertSession } from '../storage/sessions.ts';
import { hashOf, newSecret } from './tokens.ts';

/** A session ends this long after it was last used. */
export const SESSION_SECONDS = 30 * 24 * 60 * 60;

const MAX_USER_AGENT = 300;

/** Whose session it is: of an account, or of whoever has the access key. */
export interface SessionHolder {
  owner: string;
  account: string | null;
}

/** From where it is begun. */
export interface Origin {
  address: string;
  userAgent: string;
}

/** When a session ends that is used now. */
export function sessionEnd(): string {
  return new Date(Date.now() + SESSION_SECONDS * 1000).toISOString();
}

/**
 * Begins a session under a new secret: one that a browser had before, or was given by somebody, is never made use of.
 * @returns its id, and the secret for the cookie, which is not kept.
 */
export async function beginSession(
  db: Kysely<Schema>,
  { owner, account }: SessionHolder,
  { address, userAgent }: Origin,
): Promise<{ id: string; secret: string }> {
  const secret = newSecret();
  const id = newId('session');
  const now = timestamp();
  await insertSession(db, {
    id,
    owner,
    account,
    hash: hashOf(secret),
    address,
    user_agent: userAgent.replaceAll('\0', '').slice(0, MAX_USER_AGENT).toWellFormed(),
    created_at: now,
    last_seen_at: now,
    expires_at: sessionEnd(),
  });
  return { id, secret };
}
