import { type Json, startTestServer, type TestServer } from '../server.ts';
import { type BadUpstream, type Script, type Scripted, startBadUpstream } from './bad-upstream.ts';

/** An answer of our own server. `events` is empty unless it was a stream. */
export interface Got {
  status: number;
  headers: Headers;
  text: string;
  body: Json;
  events: Json[];
  /** The texts of the stream, or of the whole answer. */
  content: string;
  /** The error, wherever it stood. */
  code: string | undefined;
  /** How long it took. Only for lower bounds: a slow machine must not break a test. */
  ms: number;
}

/** A real server with a bad upstream as its OpenAI and its Cohere. */
export interface Rig extends Scripter {
  server: TestServer;
  upstream: BadUpstream;
  stop(): Promise<void>;
}

interface Scripter {
  /** Sends one call to an upstream that follows the script; both ways give what our caller sees. */
  ask(script: Script, options?: { stream?: boolean; type?: 'openai' | 'cohere' }): Promise<Scripted & Got>;
}

export const KEY = 'sk-test-0123456789-abcdefghij-ABCDEFGHIJ';

export async function startRig(environment: Record<string, string> = {}): Promise<Rig> {
  const upstream = await startBadUpstream();
  const server = await startTestServer({
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: upstream.url,
    COHERE_API_KEY: KEY,
    COHERE_BASE_URL: upstream.url,
    ...environment,
  });
  return {
    server,
    upstream,
    ask: async (script, { stream = false, type = 'openai' } = {}) => {
      const scripted = upstream.script(script);
      return { ...scripted, ...(await call(server, `${type}/${scripted.model}`, stream)) };
    },
    stop: async () => {
      await server.stop();
      await upstream.close();
    },
  };
}

/** One call of the completions endpoint. */
export async function call(server: TestServer, model: string, stream: boolean): Promise<Got> {
  const began = performance.now();
  const response = await post(server, model, stream);
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const events = isStream ? readEvents(text) : [];
  const body = isStream ? undefined : JSON.parse(text);
  return {
    status: response.status,
    headers: response.headers,
    text,
    body,
    events,
    content: isStream ? events.map((event) => event.content ?? '').join('') : (body.message?.content ?? ''),
    code: isStream ? events.at(-1)?.code : body.code,
    ms: performance.now() - began,
  };
}

export function post(server: TestServer, model: string, stream: boolean, signal?: AbortSignal): Promise<Response> {
  return fetch(`${server.url}/api/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], stream }),
    ...(signal ? { signal } : {}),
  });
}

/** Waits until something holds; fails after `ms`, which is shorter than a test may take and so says what is missing. */
export async function until(what: string, holds: () => boolean, ms = 25_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function readEvents(text: string): Json[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => JSON.parse(block.replace(/^data: /, '')));
}
