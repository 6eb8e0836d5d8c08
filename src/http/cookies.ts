import { SESSION_SECONDS } from '../auth/sessions.ts';

const NAME = 'profclaw_session';

/**
 * The value of the session's cookie, if the request has one that could be ours. Of several, nobody knows which one
 * another site of the same domain has slipped in: then there is none.
 */
export function sessionCookie(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

/**
 * The `Set-Cookie` of a session, or of its end (`undefined`). Scripts cannot read it, other sites' forms do not bring it.
 * @param isHttps it is never sent over plain http then.
 */
export function setSessionCookie(secret: string | undefined, isHttps: boolean): string {
  const life = secret === undefined ? 0 : SESSION_SECONDS;
  return `${NAME}=${secret ?? ''}; Path=/; Max-Age=${life}; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`;
}
