import type { RouteRequest } from '../http/route.ts';

/** The calls of this process that can be cancelled, by who made them and under which id. */
const calls = new Map<string, AbortController>();

type Asking = Pick<RouteRequest<unknown, unknown, unknown>, 'headers' | 'owner' | 'principal'>;

/**
 * Does work that `cancelCall` aborts. Only calls with `Mcp-Session-Id` can be found: clients count their requests from 0,
 * so without one the next client's would be met.
 * @param id of the JSON-RPC request.
 */
export async function cancellable<Result>(
  { request, id, controller }: { request: Asking; id: unknown; controller: AbortController },
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const name = nameOf(request, id);
  if (name === undefined) return await work();
  calls.set(name, controller);
  try {
    return await work();
  } finally {
    if (calls.get(name) === controller) calls.delete(name);
  }
}

/**
 * Aborts the call that a message `notifications/cancelled` names, if the same caller has made it in the same session and
 * it is under way in this process; any other message, and one that comes too late, does nothing.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/cancellation
 */
export function cancelCall(request: Asking, message: Record<string, unknown>): void {
  if (message.method !== 'notifications/cancelled') return;
  const { params } = message;
  const id = typeof params === 'object' && params !== null && 'requestId' in params ? params.requestId : undefined;
  const name = nameOf(request, id);
  if (name !== undefined) calls.get(name)?.abort();
}

function nameOf({ headers, owner, principal }: Asking, id: unknown): string | undefined {
  const session = headers['mcp-session-id'];
  if (typeof session !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) return undefined;
  return JSON.stringify([owner, principal?.credential, session, id]);
}
