import { hash, randomBytes } from 'node:crypto';

/** What every API key begins with, so that a leaked one is known for what it is. */
export const KEY_PREFIX = 'profclaw_';

/** 32 random bytes in 43 characters that need no quoting anywhere. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a random secret. It cannot be guessed, so a fast hash is enough. */
export function hashOf(secret: string): string {
  return hash('sha256', secret, 'base64url');
}
