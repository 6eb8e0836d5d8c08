import type { Json } from './server.ts';

/** An error of any wire as our own API would say it. */
export function inOurForm({ status, body, headers }: { status: number; body: Json; headers?: Headers }): Json {
  if (typeof body?.error !== 'object' || body.error === null) return body;
  const { message, data } = body.error;
  const [error, ...hint] = status === 401 ? message.split(': ') : [message];
  const code = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found' }[status as 401 | 403 | 404];
  // OpenAI has it in the head alone.
  const requestId = body.request_id ?? data?.requestId ?? headers?.get('x-request-id');
  return { code, error, requestId, details: data?.details ?? { hint: hint.join(': ') } };
}
