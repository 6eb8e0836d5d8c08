import type { Role } from '../storage/access-schema.ts';

/** What an API key may be good for. None implies another. */
export const SCOPES = ['chat', 'tools', 'conversations:read', 'providers:write', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

/** Providers and users are everybody's, so they are the admins'; what one writes oneself is one's own. */
const MEMBER_SCOPES: readonly Scope[] = ['chat', 'tools', 'conversations:read'];

/** What an account of this role may do, and so the most that its keys may. */
export function scopesOf(role: Role): readonly Scope[] {
  return role === 'member' ? MEMBER_SCOPES : SCOPES;
}

/** May whoever has these do everything? An admin may, so others must not make one. */
export function isEverything(scopes: readonly Scope[]): boolean {
  return SCOPES.every((scope) => scopes.includes(scope));
}
