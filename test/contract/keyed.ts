/** The header of an answer that was given before. */
export const REPLAYED = 'idempotency-replayed';

let keys = 0;

/** A key that no other test of this file has. */
export function newKey(): string {
  return `key-${++keys}`;
}

/** Options for `call` that post with an idempotency key; text is sent as it is. */
export function keyed(key: string, body: unknown, more: RequestInit = {}): RequestInit {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body), ...more };
}
