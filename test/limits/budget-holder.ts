import type { Json } from '../server.ts';

/** What a request came to; `body` is the JSON, or the last event of a stream. */
export interface Answered {
  status: number;
  body: Json;
  headers: Headers;
}

/** A caller with an API key of its own. */
export interface Holder {
  id: string;
  headers: Record<string, string>;
  /** Posts below `/api/chat`. */
  post(path: string, body: object, signal?: AbortSignal, url?: string): Promise<Answered>;
  /** Of the key, as it is shown. */
  budget(): Promise<Json>;
}

/** Makes a key on a server that is not locked. */
export async function makeHolder(url: string, budget?: object): Promise<Holder> {
  const json = { 'content-type': 'application/json' };
  const wish = { name: 'K', scopes: ['chat', 'conversations:read'], ...(budget ? { budget } : {}) };
  const response = await fetch(`${url}/api/keys`, { method: 'POST', headers: json, body: JSON.stringify(wish) });
  if (response.status !== 201) throw new Error(`no key: ${response.status} ${await response.text()}`);
  const { key, secret } = (await response.json()) as Json;
  const headers = { ...json, authorization: `Bearer ${secret}` };
  return {
    id: key.id,
    headers,
    post: async (path, body, signal, at = url) => {
      const options = { method: 'POST', headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) };
      const answer = await fetch(`${at}/api/chat${path}`, options);
      const last = (await answer.text()).trim().split('\n\n').at(-1) ?? '';
      return { status: answer.status, headers: answer.headers, body: JSON.parse(last.replace(/^data: /, '')) };
    },
    budget: async () => {
      const { keys } = (await (await fetch(`${url}/api/keys?limit=100`)).json()) as Json;
      return keys.find(({ id }: Json) => id === key.id).budget;
    },
  };
}
